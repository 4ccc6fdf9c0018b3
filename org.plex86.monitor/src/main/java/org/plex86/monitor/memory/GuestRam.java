// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.monitor.virtio.GuestMemory;

/**
 * The RAM of a machine: guest-physical addresses from 0. Its pages are those of a file in memory
 * that the spaces of the nexus map, too. Any thread.
 */
public final class GuestRam implements GuestMemory {
  /** The size of a page. */
  public static final int PAGE = 4096;

  private final Mapping mapping;

  /**
   * Maps RAM.
   *
   * @param fd of a file of the machine's memory size
   */
  public GuestRam(Fd fd, long size) throws IOException {
    mapping = new Mapping(fd, size);
  }

  @Override
  public long size() {
    return mapping.size();
  }

  @Override
  public ByteBuffer window(long gpa) {
    return mapping.window(gpa);
  }

  @Override
  public int offset(long gpa) {
    return Mapping.position(gpa);
  }

  /**
   * A fresh view of a range: little-endian, position 0.
   *
   * @param length 0 to 1 GiB
   * @throws IndexOutOfBoundsException part of the range is not RAM
   */
  public ByteBuffer slice(long gpa, int length) {
    if (gpa < 0 || length < 0 || length > 1 << 30 || gpa > size() - length) {
      throw new IndexOutOfBoundsException(
          length + " bytes at 0x" + Long.toHexString(gpa) + " of " + size());
    }
    if (length == 0) {
      return ByteBuffer.allocateDirect(0);
    }
    return window(gpa).slice(offset(gpa), length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
