// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Guest RAM in plain direct buffers. The windows end where RAM is split, and lie in a larger
 * allocation whose rest is filled with a pattern, so that a store outside of RAM shows.
 */
public final class PlainMemory implements GuestMemory {
  private static final int GUARD = 4096;
  private static final ByteBuffer PATTERN = ByteBuffer.allocateDirect(GUARD);

  static {
    while (PATTERN.hasRemaining()) {
      PATTERN.put((byte) 0xa5);
    }
    PATTERN.flip();
  }

  private final int size;
  private final int windowSize;
  private final ByteBuffer whole;
  private final List<ByteBuffer> windows = new ArrayList<>();

  /** RAM of one window. */
  public PlainMemory(int size) {
    this(size, size);
  }

  /** RAM that is split at every multiple of a window's size, itself a multiple of 4096. */
  public PlainMemory(int size, int windowSize) {
    this.size = size;
    this.windowSize = windowSize;
    whole = ByteBuffer.allocateDirect(size + 3 * GUARD).alignedSlice(GUARD);
    whole.put(0, PATTERN, 0, GUARD);
    whole.put(GUARD + size, PATTERN, 0, GUARD);
    for (int at = 0; at < size; at += windowSize) {
      int length = Math.min(windowSize, size - at);
      windows.add(whole.slice(GUARD + at, length).order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public ByteBuffer window(long gpa) {
    return windows.get((int) (gpa / windowSize));
  }

  @Override
  public int offset(long gpa) {
    return (int) (gpa % windowSize);
  }

  /** All of RAM in one view, for the guest's side. */
  public ByteBuffer all() {
    return whole.slice(GUARD, size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Whether nothing was stored next to RAM. */
  public boolean guardsIntact() {
    return whole.slice(0, GUARD).equals(PATTERN)
        && whole.slice(GUARD + size, GUARD).equals(PATTERN);
  }
}
