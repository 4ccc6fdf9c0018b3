// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.nio.ByteBuffer;

/**
 * A bounded queue of bytes between threads: any number that put, one that takes. Nothing blocks.
 *
 * <p>The taker works on the ring's memory itself, outside of the lock: putters never touch bytes
 * that were not consumed yet.
 */
public final class ByteRing {
  private final ByteBuffer data;
  private final ByteBuffer in;
  private final int mask;
  private long head;
  private long tail;

  /** A ring that holds the given number of bytes, a power of two. */
  public ByteRing(int capacity) {
    if (Integer.bitCount(capacity) != 1) {
      throw new IllegalArgumentException("not a power of two: capacity=" + capacity);
    }
    data = ByteBuffer.allocateDirect(capacity);
    in = data.duplicate();
    mask = capacity - 1;
  }

  public int capacity() {
    return mask + 1;
  }

  public synchronized int size() {
    return (int) (tail - head);
  }

  public synchronized int free() {
    return capacity() - (int) (tail - head);
  }

  /** Puts as many of the remaining bytes as there is room for, and tells how many these were. */
  public synchronized int put(ByteBuffer from) {
    int count = Math.min(from.remaining(), free());
    int limit = from.limit();
    for (int left = count; left > 0; ) {
      int at = (int) tail & mask;
      int part = Math.min(left, capacity() - at);
      from.limit(from.position() + part);
      in.position(at).put(from);
      tail += part;
      left -= part;
    }
    from.limit(limit);
    return count;
  }

  /** The bytes that lie next to each other at the ring's front; the taker's until consumed. */
  public synchronized ByteBuffer front() {
    int at = (int) head & mask;
    return data.slice(at, Math.min((int) (tail - head), capacity() - at));
  }

  /** Gives back the memory of the first bytes. */
  public synchronized void consume(int count) {
    if (count < 0 || count > tail - head) {
      throw new IllegalArgumentException("count=" + count + ", size=" + (tail - head));
    }
    head += count;
  }

  /** Moves as many bytes as both sides allow into a buffer, and tells how many these were. */
  public int take(ByteBuffer into) {
    int taken = 0;
    while (into.hasRemaining()) {
      ByteBuffer front = front();
      if (!front.hasRemaining()) {
        break;
      }
      front.limit(Math.min(front.limit(), into.remaining()));
      int count = front.remaining();
      into.put(front);
      consume(count);
      taken += count;
    }
    return taken;
  }

  /** Drops what the ring holds. For the taker. */
  public synchronized void clear() {
    head = tail;
  }
}
