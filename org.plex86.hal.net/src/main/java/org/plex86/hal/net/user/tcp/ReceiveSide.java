// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Map;
import org.plex86.hal.net.user.io.ByteQueue;
import org.plex86.hal.net.user.io.ChunkPool;
import org.plex86.hal.net.user.packet.Flow;

/**
 * The half of a connection that comes from the guest: what was received, what the host's socket has
 * not taken yet, and the window that the guest was told (RFC 9293, 3.8.6).
 */
final class ReceiveSide {
  private static final int UNSCALED = 65_535;

  /** Less than a full segment: RFC 1122, 4.2.3.2. */
  private static final int SMALL = 1440;

  private final ByteQueue waiting;
  private int next;
  private int edge;
  private int acknowledged;
  private boolean scaled;
  private boolean due;
  private boolean ended;

  ReceiveSide(ChunkPool pool) {
    waiting = new ByteQueue(pool);
  }

  /** Bytes that the guest was told are here, and the host's socket has not taken. */
  ByteQueue waiting() {
    return waiting;
  }

  /** The next sequence number of the guest's. */
  int next() {
    return next;
  }

  /** The first number after the window that the guest was told. */
  int edge() {
    return edge;
  }

  boolean scaled() {
    return scaled;
  }

  /** Whether the guest's FIN, and all before it, was received. */
  boolean ended() {
    return ended;
  }

  /** The guest's SYN. */
  void begin(Segment syn) {
    next = syn.sequence() + 1;
    edge = next;
    scaled = syn.scale() >= 0;
  }

  /** Our own SYN comes first, and offers to scale. */
  void offerScale() {
    scaled = true;
  }

  /** An acknowledgement is due; false if one was already. */
  boolean due() {
    boolean first = !due;
    due = true;
    return first;
  }

  boolean isDue() {
    return due;
  }

  /** Whether what is to be acknowledged is a little text, and not an answer to something odd. */
  boolean isSmall() {
    int count = next - acknowledged;
    return count > 0 && count < SMALL;
  }

  private int most() {
    return scaled ? Tcp.RECEIVE_BUFFER : UNSCALED;
  }

  private int window() {
    return Math.max(0, most() - waiting.size());
  }

  /** RFC 1122, 4.2.3.3: the window is opened in large steps only. */
  boolean mayOpen() {
    return window() - (edge - next) >= most() / 4;
  }

  /**
   * Payload and FIN of a segment, of which some bytes may be known. What fits into neither the
   * host's socket nor the queue is not acknowledged.
   *
   * @param known how many bytes of it were received before
   */
  void text(Segment segment, int known, SocketChannel host) throws IOException {
    int length = segment.length() - known;
    if (length > 0) {
      if (ended) {
        return;
      }
      int taken = take(segment.payload(known), Math.max(0, Math.min(length, edge - next)), host);
      next += taken;
      if (taken < length) {
        return;
      }
    }
    if (segment.has(Segment.FIN) && !ended) {
      next++;
      ended = true;
    }
  }

  private int take(ByteBuffer[] parts, int length, SocketChannel host) throws IOException {
    int left = length;
    for (ByteBuffer part : parts) {
      part.limit(Math.min(part.limit(), left));
      left -= part.limit();
    }
    int taken = waiting.size() == 0 ? (int) host.write(parts) : 0;
    return taken < length ? taken + waiting.append(parts, length - taken) : taken;
  }

  /** A header, without options and checksum; the window it tells counts as told. */
  ByteBuffer header(Flow flow, int flags, int sequence, int length) {
    ByteBuffer header = ByteBuffer.allocate(length);
    header.putShort((short) flow.peerPort()).putShort((short) flow.guestPort());
    header.putInt(sequence).putInt((flags & Segment.ACK) != 0 ? next : 0);
    header.put((byte) ((length / 4) << 4)).put((byte) flags);
    acknowledged = next;
    int free = window();
    int field = Math.min(UNSCALED, free);
    if ((flags & Segment.SYN) == 0) {
      int shift = scaled ? Tcp.SCALE : 0;
      // Rounded up, as the right edge of the window must not move to the left.
      field = Math.min(UNSCALED, (free + (1 << shift) - 1) >> shift);
      edge = next + (field << shift);
      due = false;
    } else {
      edge = next + field;
    }
    return header.putShort((short) field).putInt(0);
  }

  /** The last header was not sent. */
  void unsent(int edgeBefore, boolean dueBefore) {
    edge = edgeBefore;
    due = dueBefore;
    acknowledged = next; // what is due then is sent at the next chance
  }

  void save(Map<String, Long> to) {
    to.put("next", (long) next);
    to.put("edge", (long) edge);
    to.put("scaled", scaled ? 1L : 0L);
    to.put("guestEnded", ended ? 1L : 0L);
  }

  void restore(Map<String, Long> from) {
    next = from.get("next").intValue();
    edge = from.get("edge").intValue();
    scaled = from.get("scaled") != 0;
    ended = from.get("guestEnded") != 0;
  }
}
