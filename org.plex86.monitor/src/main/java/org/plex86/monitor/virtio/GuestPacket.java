// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.plex86.hal.api.Packet;

/**
 * A driver's hold of a chain that it took. One object for each time that a chain is taken, so that
 * who keeps it too long (completed, voided by a reset, taken back for another driver) holds
 * nothing.
 */
final class GuestPacket implements Packet {
  private final Virtqueue queue;
  private final GuestMemory memory;
  private final long readableBytes;
  private final long writableBytes;

  /** Null once completed or void. Volatile for drivers that keep packets on other threads. */
  private volatile DescriptorChain chain;

  private boolean completed;

  GuestPacket(Virtqueue queue, GuestMemory memory, DescriptorChain chain) {
    this.queue = queue;
    this.memory = memory;
    this.chain = chain;
    readableBytes = chain.readableBytes();
    writableBytes = chain.writableBytes();
  }

  @Override
  public List<ByteBuffer> readable() {
    DescriptorChain held = chain;
    return held == null ? List.of() : views(held, 0, held.readableCount());
  }

  @Override
  public List<ByteBuffer> writable() {
    DescriptorChain held = chain;
    return held == null ? List.of() : views(held, held.readableCount(), held.count());
  }

  /** Ranges that follow each other in memory, as Linux often gives them, are one view. */
  private List<ByteBuffer> views(DescriptorChain held, int from, int to) {
    List<ByteBuffer> views = new ArrayList<>(to - from);
    for (int i = from; i < to; ) {
      long address = held.address(i);
      long end = address;
      while (i < to && held.address(i) == end) {
        end += held.length(i++);
      }
      MemoryAccess.views(memory, address, end - address, views);
    }
    return views;
  }

  @Override
  public long readableBytes() {
    return readableBytes;
  }

  @Override
  public long writableBytes() {
    return writableBytes;
  }

  @Override
  public int read(long offset, byte[] into, int at, int length) {
    checkOffset(offset);
    Objects.checkFromIndexSize(at, length, into.length);
    DescriptorChain held = chain;
    if (held == null) {
      return 0;
    }
    int done = 0;
    long skip = offset;
    for (int i = 0; i < held.readableCount() && done < length; i++) {
      if (skip >= held.length(i)) {
        skip -= held.length(i);
        continue;
      }
      int piece = (int) Math.min(length - done, held.length(i) - skip);
      MemoryAccess.read(memory, held.address(i) + skip, into, at + done, piece);
      done += piece;
      skip = 0;
    }
    return done;
  }

  @Override
  public int write(long offset, byte[] from, int at, int length) {
    checkOffset(offset);
    Objects.checkFromIndexSize(at, length, from.length);
    DescriptorChain held = chain;
    if (held == null) {
      return 0;
    }
    int done = 0;
    long skip = offset;
    for (int i = held.readableCount(); i < held.count() && done < length; i++) {
      if (skip >= held.length(i)) {
        skip -= held.length(i);
        continue;
      }
      int piece = (int) Math.min(length - done, held.length(i) - skip);
      MemoryAccess.write(memory, held.address(i) + skip, from, at + done, piece);
      done += piece;
      skip = 0;
    }
    return done;
  }

  private static void checkOffset(long offset) {
    if (offset < 0) {
      throw new IndexOutOfBoundsException("offset " + offset + " into a packet");
    }
  }

  /** The queue that it was taken from. */
  Virtqueue queue() {
    return queue;
  }

  /** The chain, or null. */
  DescriptorChain chain() {
    return chain;
  }

  /** Lets go of the chain because it went back to the guest. */
  void markCompleted() {
    completed = true;
    chain = null;
  }

  boolean isCompleted() {
    return completed;
  }

  /** Lets go of the chain because its driver has lost it. */
  void markVoid() {
    chain = null;
  }

  @Override
  public String toString() {
    return "packet of " + readableBytes + " readable and " + writableBytes + " writable bytes";
  }
}
