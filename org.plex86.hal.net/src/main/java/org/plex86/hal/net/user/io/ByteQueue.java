// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes on their way, in chunks of a {@link ChunkPool}; an empty queue holds no chunk. Not for more
 * than one thread.
 */
public final class ByteQueue {
  private static final int SIZE = ChunkPool.SIZE;

  private final ChunkPool pool;
  private final List<ByteBuffer> chunks = new ArrayList<>(0);
  private int first;
  private int size;

  /** An empty queue. */
  public ByteQueue(ChunkPool pool) {
    this.pool = pool;
  }

  /** How many bytes are in it. */
  public int size() {
    return size;
  }

  /** Makes room for more bytes at the end; less if the pool has not enough. */
  private int reserve(int wanted) {
    while (chunks.size() * SIZE - first - size < wanted) {
      ByteBuffer chunk = pool.take();
      if (chunk == null) {
        break;
      }
      chunks.add(chunk);
    }
    return Math.min(wanted, chunks.size() * SIZE - first - size);
  }

  private void trim() {
    int used = size == 0 ? 0 : (first + size + SIZE - 1) / SIZE;
    while (chunks.size() > used) {
      pool.give(chunks.remove(chunks.size() - 1));
    }
    if (size == 0) {
      first = 0;
    }
  }

  private ByteBuffer[] window(int offset, int length) {
    int from = first + offset;
    int to = from + length;
    int begin = from / SIZE;
    ByteBuffer[] parts = new ByteBuffer[(to + SIZE - 1) / SIZE - begin];
    for (int i = 0; i < parts.length; i++) {
      int start = (begin + i) * SIZE;
      int low = Math.max(from, start) - start;
      parts[i] = chunks.get(begin + i).slice(low, Math.min(to, start + SIZE) - start - low);
    }
    return parts;
  }

  /**
   * Appends what a channel has.
   *
   * @param most how many bytes at most, at least 1
   * @return how many came; -1 at the end of the channel; 0 also if the pool is empty, see {@link
   *     ChunkPool#isEmpty}
   */
  public int read(ScatteringByteChannel channel, int most) throws IOException {
    int room = reserve(most);
    if (room == 0) {
      return 0;
    }
    long count = 0;
    try {
      count = channel.read(window(size, room));
      size += (int) Math.max(count, 0);
    } finally {
      trim();
    }
    return (int) count;
  }

  /** Appends bytes; returns how many, which are less if the pool is empty. */
  public int append(ByteBuffer[] from, int length) {
    int room = reserve(length);
    int left = room;
    if (room > 0) {
      int source = 0;
      for (ByteBuffer to : window(size, room)) {
        while (to.hasRemaining()) {
          ByteBuffer next = from[source];
          if (!next.hasRemaining()) {
            source++;
            continue;
          }
          int count = Math.min(next.remaining(), to.remaining());
          to.put(next.slice().limit(count));
          next.position(next.position() + count);
          left -= count;
        }
      }
    }
    size += room - left;
    return room - left;
  }

  /** Writes as much as a channel takes, and removes that. */
  public void write(GatheringByteChannel channel) throws IOException {
    while (size > 0) {
      long count = channel.write(window(0, size));
      if (count <= 0) {
        return;
      }
      drop((int) count);
    }
  }

  /** Copies bytes into buffers, beginning at a position of their sum. */
  public void copy(int offset, int length, List<ByteBuffer> to, int toOffset) {
    int source = first + offset;
    int target = toOffset;
    int left = length;
    for (ByteBuffer buffer : to) {
      if (target >= buffer.limit()) {
        target -= buffer.limit();
        continue;
      }
      while (left > 0 && target < buffer.limit()) {
        int inChunk = source % SIZE;
        int count = Math.min(left, Math.min(SIZE - inChunk, buffer.limit() - target));
        buffer.put(target, chunks.get(source / SIZE), inChunk, count);
        source += count;
        target += count;
        left -= count;
      }
      target = 0;
    }
  }

  /** Removes bytes from the start. */
  public void drop(int count) {
    size -= count;
    first += count;
    while (first >= SIZE) {
      pool.give(chunks.remove(0));
      first -= SIZE;
    }
    if (size == 0) {
      trim();
    }
  }

  /** All bytes as an array, for a handover. */
  public byte[] toArray() {
    byte[] all = new byte[size];
    copy(0, size, List.of(ByteBuffer.wrap(all)), 0);
    return all;
  }
}
