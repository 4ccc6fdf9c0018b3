// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Protocol;

/**
 * A connection of the test's guest: sends {@link Pattern} bytes, checks those it gets, and sends
 * again what is not acknowledged (from the first such byte on, every 50 ms). Slot's thread.
 */
final class GuestTcp {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int ACK = 16;
  private static final int ISS = 0xffff_f000; // wraps soon

  final CompletableFuture<Boolean> connected = new CompletableFuture<>();

  /** Completed at the host's FIN with the number of bytes; exceptionally by a reset. */
  final CompletableFuture<Long> ended = new CompletableFuture<>();

  /** Completed when all that was sent is acknowledged, FIN included. */
  final CompletableFuture<Void> sentAll = new CompletableFuture<>();

  private final Guest guest;
  private final Flow flow;
  private final boolean active;
  private final int segment;
  private int scale = 8;
  private int window = 4 << 20;
  private long toSend;
  private boolean finish = true;
  private long una;
  private long nxt;
  private int peerWindow;
  private int peerScale;
  private boolean established;
  private boolean dead;
  private int next;
  private long receivedBytes;
  private boolean hostEnded;

  GuestTcp(Guest guest, Flow flow, boolean active, int segment) {
    this.guest = guest;
    this.flow = flow;
    this.active = active;
    this.segment = segment;
  }

  Flow flow() {
    return flow;
  }

  /** What to send, and whether a FIN follows. */
  GuestTcp sending(long bytes, boolean fin) {
    toSend = bytes;
    finish = fin;
    return this;
  }

  void more(long bytes, boolean fin) {
    toSend += bytes;
    finish = fin;
    output();
  }

  /** The window that is offered from now on, told at once. */
  void window(int bytes) {
    window = bytes;
    if (established) {
      control(ACK, sequence(nxt));
    }
  }

  long received() {
    return receivedBytes;
  }

  boolean isDead() {
    return dead;
  }

  void connect() {
    guest.add(this);
    syn();
    retry();
  }

  void abort() {
    dead = true;
    control(RST | ACK, sequence(nxt));
  }

  private int sequence(long position) {
    return ISS + 1 + (int) position;
  }

  private void syn() {
    byte[] packet = header(active ? SYN : SYN | ACK, ISS, 28, 0);
    ByteBuffer header = ByteBuffer.wrap(packet, 20, 8);
    header.put((byte) 2).put((byte) 4).putShort((short) 1460);
    header.put((byte) 1).put((byte) 3).put((byte) 3).put((byte) scale);
    transmit(packet);
  }

  private void retry() {
    guest.port.later(
        () -> {
          if (dead || (sentAll.isDone() && hostEnded)) {
            return;
          }
          if (!established) {
            syn();
          } else {
            nxt = una;
            output();
            control(ACK, sequence(una) - 1);
          }
          retry();
        },
        50);
  }

  private byte[] header(int flags, int sequence, int length, int payload) {
    ByteBuffer header = ByteBuffer.allocate(length + payload);
    header.putShort((short) flow.guestPort()).putShort((short) flow.peerPort());
    header.putInt(sequence).putInt((flags & ACK) != 0 ? next : 0);
    header.put((byte) ((length / 4) << 4)).put((byte) flags);
    int field = (flags & SYN) != 0 ? Math.min(window, 65_535) : Math.min(window >> scale, 65_535);
    return header.putShort((short) field).putInt(0).array();
  }

  private void transmit(byte[] data) {
    guest.send(flow.guest(), flow.peer(), Protocol.TCP, data, 16);
  }

  private void control(int flags, int sequence) {
    transmit(header(flags, sequence, 20, 0));
  }

  static void refuse(Guest guest, Flow flow, ByteBuffer of) {
    GuestTcp dead = new GuestTcp(guest, flow, false, 0);
    dead.next = of.getInt(4) + 1;
    dead.control(RST | ACK, of.getInt(8));
  }

  private void output() {
    while (established && !dead) {
      long usable = una + peerWindow - nxt;
      if (nxt < toSend) {
        int length = (int) Math.min(Math.min(segment, usable), toSend - nxt);
        if (length <= 0) {
          return;
        }
        byte[] packet = header(ACK, sequence(nxt), 20, length);
        Pattern.fill(packet, 20, length, nxt);
        nxt += length;
        transmit(packet);
      } else if (finish && nxt == toSend) {
        nxt++;
        control(FIN | ACK, sequence(toSend));
      } else {
        return;
      }
    }
  }

  void received(ByteBuffer packet) {
    int flags = packet.get(13);
    int sequence = packet.getInt(4);
    int header = (packet.get(12) >> 4 & 0xf) * 4;
    if (dead) {
      return;
    }
    if ((flags & RST) != 0) {
      dead = true;
      connected.complete(false);
      sentAll.completeExceptionally(new java.io.IOException("reset"));
      ended.completeExceptionally(new java.io.IOException("reset"));
      return;
    }
    if ((flags & SYN) != 0) {
      if (!established) {
        next = sequence + 1;
        peerScale = header > 20 ? packet.get(27) : 0;
        peerWindow = packet.getShort(14) & 0xffff;
        if (active) {
          established = true;
          connected.complete(true);
        } else {
          syn();
          return;
        }
      }
      control(ACK, sequence(nxt));
      output();
      return;
    }
    if (!established) {
      established = true;
      connected.complete(true);
      retry();
    }
    long acknowledged = una + (packet.getInt(8) - sequence(una));
    long largest = finish ? toSend + 1 : toSend;
    if (acknowledged > largest) {
      throw new AssertionError("acknowledged " + acknowledged + " of " + largest);
    }
    una = Math.max(una, acknowledged);
    nxt = Math.max(nxt, una);
    peerWindow = (packet.getShort(14) & 0xffff) << peerScale;
    if (finish && una == toSend + 1) {
      sentAll.complete(null);
    }
    int length = packet.limit() - header;
    boolean fin = (flags & FIN) != 0;
    if (length > 0 || fin) {
      int known = next - sequence;
      if (known >= 0 && known <= length) {
        int fits = Math.min(length - known, window);
        Pattern.check(packet, header + known, fits, receivedBytes);
        receivedBytes += fits;
        next += fits;
        if (fin && fits == length - known && !hostEnded) {
          next++;
          hostEnded = true;
          ended.complete(receivedBytes);
        }
      }
      control(ACK, sequence(nxt));
    } else if (sequence - next < 0) {
      control(ACK, sequence(nxt)); // a probe
    }
    output();
  }
}
