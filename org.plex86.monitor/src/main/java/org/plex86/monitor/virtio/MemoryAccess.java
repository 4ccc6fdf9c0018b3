// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Copies and views of guest RAM across its windows. */
final class MemoryAccess {
  private MemoryAccess() {}

  /** Whether all of a range is RAM. Takes any values; an empty range is RAM where its start is. */
  static boolean contains(GuestMemory memory, long gpa, long length) {
    return gpa >= 0 && length >= 0 && gpa < memory.size() && length <= memory.size() - gpa;
  }

  /** Copies out of RAM. The caller has checked the range. */
  static void read(GuestMemory memory, long gpa, byte[] into, int at, int length) {
    int done = 0;
    while (done < length) {
      ByteBuffer window = memory.window(gpa + done);
      int offset = memory.offset(gpa + done);
      int piece = Math.min(length - done, window.capacity() - offset);
      window.get(offset, into, at + done, piece);
      done += piece;
    }
  }

  /** Copies into RAM. The caller has checked the range. */
  static void write(GuestMemory memory, long gpa, byte[] from, int at, int length) {
    int done = 0;
    while (done < length) {
      ByteBuffer window = memory.window(gpa + done);
      int offset = memory.offset(gpa + done);
      int piece = Math.min(length - done, window.capacity() - offset);
      window.put(offset, from, at + done, piece);
      done += piece;
    }
  }

  /** Adds views of a range, more than one where windows end. The caller has checked the range. */
  static void views(GuestMemory memory, long gpa, long length, List<ByteBuffer> into) {
    long done = 0;
    while (done < length) {
      ByteBuffer window = memory.window(gpa + done);
      int offset = memory.offset(gpa + done);
      int piece = (int) Math.min(length - done, window.capacity() - offset);
      into.add(window.slice(offset, piece).order(ByteOrder.LITTLE_ENDIAN));
      done += piece;
    }
  }

  /** One view of a range; null where a window ends within it. The caller has checked the range. */
  static ByteBuffer contiguous(GuestMemory memory, long gpa, int length) {
    ByteBuffer window = memory.window(gpa);
    int offset = memory.offset(gpa);
    return length <= window.capacity() - offset
        ? window.slice(offset, length).order(ByteOrder.LITTLE_ENDIAN)
        : null;
  }
}
