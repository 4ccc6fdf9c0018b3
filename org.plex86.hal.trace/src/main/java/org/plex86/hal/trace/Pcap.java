// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/**
 * Frames in the pcap format with nanoseconds, little-endian (draft-ietf-opsawg-pcap, section 4 and
 * 5). For one thread.
 */
final class Pcap {
  private static final int FILE_HEADER = 24;
  private static final int RECORD_HEADER = 16;
  private static final int MAGIC_NANOSECONDS = 0xa1b23c4d;
  private static final int LINKTYPE_ETHERNET = 1;

  private final TraceFile file;
  private final int snaplen;

  Pcap(TraceFile file, int snaplen) {
    this.file = file;
    this.snaplen = snaplen;
  }

  static byte[] header(int snaplen) {
    return ByteBuffer.allocate(FILE_HEADER)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC_NANOSECONDS)
        .putShort((short) 2)
        .putShort((short) 4)
        .putLong(0)
        .putInt(snaplen)
        .putInt(LINKTYPE_ETHERNET)
        .array();
  }

  /** How many bytes of a frame are kept. */
  int snaplen() {
    return snaplen;
  }

  /**
   * Adds a frame.
   *
   * @param start its first bytes: at least the lesser of its length and the snaplen
   * @param length its length, in bytes
   */
  void add(Instant at, byte[] start, long length) {
    int kept = (int) Math.min(length, snaplen);
    file.add(
        ByteBuffer.allocate(RECORD_HEADER + kept)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt((int) at.getEpochSecond())
            .putInt(at.getNano())
            .putInt(kept)
            .putInt((int) Math.min(length, Integer.MAX_VALUE))
            .put(start, 0, kept)
            .array());
  }
}
