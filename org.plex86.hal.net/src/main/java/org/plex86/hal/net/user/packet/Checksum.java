// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

import java.nio.ByteBuffer;
import java.util.List;

/** The Internet checksum of RFC 1071. Sums are kept unfolded in a long, far from overflow. */
public final class Checksum {
  private Checksum() {}

  /** The sum of a range of an array, which begins at an even position of the summed bytes. */
  public static long sum(ByteBuffer bytes, int from, int to) {
    long sum = 0;
    int i = from;
    for (; i + 8 <= to; i += 8) {
      long word = bytes.getLong(i);
      sum += (word >>> 32) + (word & 0xffff_ffffL);
    }
    for (; i + 2 <= to; i += 2) {
      sum += bytes.getShort(i) & 0xffff;
    }
    if (i < to) {
      sum += (bytes.get(i) & 0xff) << 8;
    }
    return sum;
  }

  /** The sum of a range of bytes that are spread over buffers (position 0, big-endian). */
  public static long sum(List<ByteBuffer> buffers, int from, int to) {
    long total = 0;
    int start = 0;
    for (ByteBuffer buffer : buffers) {
      int end = start + buffer.limit();
      int first = Math.max(from, start);
      int last = Math.min(to, end);
      if (first < last) {
        long part = sum(buffer, first - start, last - start);
        // RFC 1071, 2 (B): bytes at odd positions are those of the swapped sum.
        total += ((first - from) & 1) == 0 ? part : Short.reverseBytes((short) fold(part)) & 0xffff;
      }
      start = end;
    }
    return total;
  }

  /** The sum of the pseudo header: RFC 9293, 3.1 and RFC 8200, 8.1. */
  public static long pseudo(Ip source, Ip destination, int protocol, int length) {
    return address(source) + address(destination) + protocol + length;
  }

  private static long address(Ip ip) {
    if (ip.isV4()) {
      return ip.bits() & 0xffff_ffffL;
    }
    return (ip.high() >>> 32)
        + (ip.high() & 0xffff_ffffL)
        + (ip.low() >>> 32)
        + (ip.low() & 0xffff_ffffL);
  }

  /** The sum in 16 bits, not inverted. */
  public static int fold(long sum) {
    long s = (sum >>> 32) + (sum & 0xffff_ffffL);
    while (s > 0xffff) {
      s = (s >>> 16) + (s & 0xffff);
    }
    return (int) s;
  }

  /** The checksum of a sum: its 16 bits, inverted. */
  public static short of(long sum) {
    return (short) ~fold(sum);
  }
}
