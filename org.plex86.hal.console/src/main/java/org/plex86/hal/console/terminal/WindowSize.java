// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.hal.console.io.LibC;

/**
 * The size of a terminal in characters.
 *
 * @param columns 0 if not known, at most 65535
 * @param rows 0 if not known, at most 65535
 */
public record WindowSize(int columns, int rows) {
  /** The size of what is no terminal, or of one that does not know its size. */
  public static final WindowSize UNKNOWN = new WindowSize(0, 0);

  /** TIOCGWINSZ of asm-generic/ioctls.h. */
  private static final long GET_WINDOW_SIZE = 0x5413;

  /** The size of the terminal behind a descriptor. */
  public static WindowSize of(int fd) {
    // struct winsize: rows, columns and two more of 16 bits each.
    ByteBuffer size = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
    if (LibC.ioctl(fd, GET_WINDOW_SIZE, size) != 0) {
      return UNKNOWN;
    }
    return new WindowSize(size.getShort(2) & 0xffff, size.getShort(0) & 0xffff);
  }
}
