// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Cuts lists of buffers. */
final class Pieces {
  private Pieces() {}

  /**
   * Adds the pieces of a range of a list of buffers, big-endian, none of them empty.
   *
   * @param skip bytes at the start that do not belong to the range
   * @param length of the range in bytes
   * @return the bytes of the range that were there
   */
  static int add(List<ByteBuffer> buffers, int skip, int length, List<ByteBuffer> into) {
    int before = skip;
    int left = length;
    for (ByteBuffer buffer : buffers) {
      int size = buffer.remaining();
      if (size <= before) {
        before -= size;
        continue;
      }
      int count = Math.min(size - before, left);
      if (count == 0) {
        break;
      }
      ByteBuffer piece = count == size ? buffer : buffer.slice(before, count);
      into.add(piece.order(ByteOrder.BIG_ENDIAN));
      before = 0;
      left -= count;
    }
    return length - left;
  }
}
