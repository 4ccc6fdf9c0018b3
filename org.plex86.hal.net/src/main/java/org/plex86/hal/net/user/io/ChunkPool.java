// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.io;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Memory for bytes on their way, outside of the heap so that the kernel reads and writes it in
 * place. Bounded: all connections together hold no more. Of what is free a part is kept.
 */
public final class ChunkPool {
  /** Bytes of a chunk. */
  public static final int SIZE = 32 << 10;

  private static final int KEPT = 64;

  private final int most;
  private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
  private int inUse;

  /**
   * An empty pool.
   *
   * @param bytes how much is given out at most
   */
  public ChunkPool(int bytes) {
    most = bytes / SIZE;
  }

  /** A chunk, or null if all are in use. */
  ByteBuffer take() {
    if (inUse == most) {
      return null;
    }
    inUse++;
    ByteBuffer chunk = free.poll();
    return chunk != null ? chunk : ByteBuffer.allocateDirect(SIZE);
  }

  void give(ByteBuffer chunk) {
    inUse--;
    if (free.size() < KEPT) {
      free.push(chunk);
    }
  }

  /** Whether all chunks are in use. */
  public boolean isEmpty() {
    return inUse == most;
  }
}
