// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.nio.ByteBuffer;

/** The last bytes of a stream. For one thread at a time. */
public final class RecentBytes {
  private final byte[] last;
  private long total;

  /** Keeps the given number of bytes. */
  public RecentBytes(int capacity) {
    last = new byte[capacity];
  }

  /** Takes note of the remaining bytes, which are consumed. */
  public void append(ByteBuffer bytes) {
    int skip = Math.max(0, bytes.remaining() - last.length);
    bytes.position(bytes.position() + skip);
    total += skip;
    while (bytes.hasRemaining()) {
      int to = (int) (total % last.length);
      int part = Math.min(bytes.remaining(), last.length - to);
      bytes.get(last, to, part);
      total += part;
    }
  }

  /** The bytes that are kept, the oldest first. */
  public byte[] bytes() {
    int length = (int) Math.min(total, last.length);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = last[(int) ((total - length + i) % last.length)];
    }
    return bytes;
  }
}
