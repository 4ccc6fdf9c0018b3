// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import java.nio.ByteBuffer;

/** Bytes that are known by their position: a lost, doubled or moved one is seen. */
final class Pattern {
  private static final int PERIOD = 65_521; // a prime, so no buffer's size is a multiple of it
  private static final byte[] BYTES = new byte[PERIOD * 4];

  static {
    new java.util.Random(7).nextBytes(BYTES);
  }

  private Pattern() {}

  private static byte at(long position) {
    return BYTES[(int) (position % BYTES.length)];
  }

  static void fill(byte[] to, int offset, int length, long position) {
    for (int i = 0; i < length; i++) {
      to[offset + i] = at(position + i);
    }
  }

  static void check(ByteBuffer bytes, int offset, int length, long position) {
    for (int i = 0; i < length; i++) {
      if (bytes.get(offset + i) != at(position + i)) {
        throw new AssertionError("wrong byte at " + (position + i));
      }
    }
  }
}
