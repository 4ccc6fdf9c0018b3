// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Incoming;

/** The header of a segment from the guest: RFC 9293, 3.1; used again for each. */
final class Segment {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int PSH = 8;
  static final int ACK = 16;

  /** Bytes of a header without options. */
  static final int HEADER = 20;

  /** RFC 7323, 2.3. */
  private static final int LARGEST_SCALE = 14;

  private Incoming packet;
  private int sequence;
  private int acknowledgement;
  private int flags;
  private int window;
  private int mss;
  private int scale;
  private int data;

  /** Takes the packet at hand; false if it is malformed. */
  boolean take(Incoming from) {
    packet = from;
    int at = from.transport();
    if (from.copied() - at < HEADER) {
      return false;
    }
    ByteBuffer bytes = from.bytes();
    int header = (bytes.get(at + 12) >> 4 & 0xf) * 4;
    if (header < HEADER || at + header > from.copied() || !from.checksumIsRight()) {
      return false;
    }
    sequence = bytes.getInt(at + 4);
    acknowledgement = bytes.getInt(at + 8);
    flags = bytes.get(at + 13) & 0x3f;
    window = bytes.getShort(at + 14) & 0xffff;
    data = at + header;
    mss = from.source().isV4() ? 536 : 1220;
    scale = -1;
    if (has(SYN)) {
      options(bytes, at + HEADER, data);
    }
    return true;
  }

  private void options(ByteBuffer bytes, int from, int to) {
    int at = from;
    while (at < to) {
      int kind = bytes.get(at);
      if (kind == 0) {
        return;
      }
      int length = kind == 1 ? 1 : at + 1 < to ? bytes.get(at + 1) & 0xff : 0;
      if (length < 1 || (kind != 1 && length < 2) || at + length > to) {
        return;
      }
      if (kind == 2 && length == 4) {
        mss = bytes.getShort(at + 2) & 0xffff;
      } else if (kind == 3 && length == 3) {
        scale = Math.min(bytes.get(at + 2) & 0xff, LARGEST_SCALE);
      }
      at += length;
    }
  }

  Flow flow() {
    int at = packet.transport();
    return new Flow(
        packet.source(),
        packet.bytes().getShort(at) & 0xffff,
        packet.destination(),
        packet.bytes().getShort(at + 2) & 0xffff);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  int sequence() {
    return sequence;
  }

  int acknowledgement() {
    return acknowledgement;
  }

  int window() {
    return window;
  }

  /** The option, or what RFC 9293, 3.7.1 says where there is none. */
  int mss() {
    return mss;
  }

  /** The option of window scaling; -1 if there is none. */
  int scale() {
    return scale;
  }

  /** Bytes of payload. */
  int length() {
    return packet.end() - data;
  }

  /** Sequence numbers that it takes. */
  int space() {
    return length() + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
  }

  /** The payload without its first bytes, in place. */
  ByteBuffer[] payload(int without) {
    return packet.payload(data + without);
  }
}
