// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.plex86.hal.api.Packet;

/**
 * What the log says of a request (section 5.2.6). The guest's words are shown, not believed.
 *
 * @param at when a driver took it
 * @param what it asks for
 * @param sector the first sector of 512 bytes, unsigned
 * @param length bytes that are read or written, or named by the first range of a discard
 */
record RequestLine(Instant at, String what, long sector, long length) {
  /** The first line of a log. */
  static final byte[] HEADER =
      "# time request sector bytes status microseconds\n".getBytes(StandardCharsets.US_ASCII);

  private static final int FIELDS = 16;
  private static final int SECTOR = 512;
  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int FLUSH = 4;
  private static final int GET_ID = 8;
  private static final int DISCARD = 11;
  private static final int WRITE_ZEROES = 13;

  static RequestLine of(Packet packet, Instant at) {
    ByteBuffer header = bytes(packet, 0);
    int type = header.getInt(0);
    long sector = header.getLong(8);
    long data = Math.max(0, packet.readableBytes() - FIELDS);
    return switch (type) {
      case IN -> new RequestLine(at, "read", sector, Math.max(0, packet.writableBytes() - 1));
      case OUT -> new RequestLine(at, "write", sector, data);
      case FLUSH -> new RequestLine(at, "flush", 0, 0);
      case GET_ID -> new RequestLine(at, "id", 0, 0);
      case DISCARD, WRITE_ZEROES -> {
        ByteBuffer range = bytes(packet, FIELDS);
        yield new RequestLine(
            at,
            type == DISCARD ? "discard" : "zeroes",
            range.getLong(0),
            Integer.toUnsignedLong(range.getInt(8)) * SECTOR);
      }
      default -> new RequestLine(at, "type-" + Integer.toUnsignedString(type), sector, data);
    };
  }

  /** Sixteen bytes of the guest's; zeroes where it has given fewer. */
  private static ByteBuffer bytes(Packet packet, int offset) {
    byte[] bytes = new byte[FIELDS];
    packet.read(offset, bytes, 0, FIELDS);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The line, once a driver has answered. */
  String answered(Packet packet, long nanos) {
    return String.format(
        Locale.ROOT,
        "%s %s %s %d %s %.1f",
        at,
        what,
        Long.toUnsignedString(sector),
        length,
        status(packet),
        nanos / 1e3);
  }

  /** The last byte of the writable part. */
  private static String status(Packet packet) {
    List<ByteBuffer> writable = packet.writable();
    for (int i = writable.size() - 1; i >= 0; i--) {
      ByteBuffer buffer = writable.get(i);
      if (buffer.hasRemaining()) {
        int status = buffer.get(buffer.limit() - 1) & 0xff;
        return switch (status) {
          case 0 -> "ok";
          case 1 -> "error";
          case 2 -> "unsupported";
          default -> Integer.toString(status);
        };
      }
    }
    return "none";
  }
}
