// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.icmp;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** What is said of packets that get nowhere, and echo: RFC 792 and RFC 4443. */
public final class Icmp {
  /** Why a packet gets nowhere. */
  public enum Reason {
    NO_ROUTE(1, 0),
    PORT(3, 4),
    PROHIBITED(13, 1);

    private final int code4;
    private final int code6;

    Reason(int code4, int code6) {
      this.code4 = code4;
      this.code6 = code6;
    }
  }

  private final Wire wire;
  private final Ip router4;
  private final Ip router6;

  /** Sends as one of two addresses. */
  public Icmp(Wire wire, Ip router4, Ip router6) {
    this.wire = wire;
    this.router4 = router4;
    this.router6 = router6;
  }

  /** Says that the packet at hand gets nowhere. */
  public void unreachable(Incoming packet, Reason reason) {
    int begin = Protocol.ETHERNET_HEADER;
    int length = Math.min(packet.end(), packet.transport() + 8) - begin;
    byte[] quote = new byte[length];
    packet.bytes().get(begin, quote);
    unreachable(packet.source(), packet.destination(), quote, reason);
  }

  /**
   * Says that a packet got nowhere.
   *
   * @param quote the packet from its IP header on, at least 8 bytes of what it carries
   */
  public void unreachable(Ip guest, Ip peer, byte[] quote, Reason reason) {
    boolean v4 = guest.isV4();
    ByteBuffer message = ByteBuffer.allocate(8 + quote.length);
    message.put((byte) (v4 ? 3 : 1)).put((byte) (v4 ? reason.code4 : reason.code6));
    message.position(8).put(quote).flip();
    // A port is closed by the machine itself, a route is missed by the router.
    Ip from = reason == Reason.PORT ? peer : v4 ? router4 : router6;
    wire.packet(from, guest, v4 ? Protocol.ICMP : Protocol.ICMPV6, message, 2);
  }

  /** Whether the packet at hand is a request for an echo. */
  public static boolean isEchoRequest(Incoming packet) {
    return packet.end() - packet.transport() >= 8
        && packet.bytes().get(packet.transport())
            == (byte) (packet.protocol() == Protocol.ICMP ? 8 : 128);
  }

  /** Answers the request at hand. */
  public void echo(Incoming packet) {
    byte[] data = new byte[packet.end() - packet.transport()];
    packet.bytes().get(packet.transport(), data);
    echoReply(packet.source(), packet.destination(), ByteBuffer.wrap(data));
  }

  /** Sends a reply; of the message all but its type is set. */
  public void echoReply(Ip guest, Ip peer, ByteBuffer message) {
    boolean v4 = guest.isV4();
    message.put(0, (byte) (v4 ? 0 : 129)).put(1, (byte) 0).putShort(2, (short) 0);
    wire.packet(peer, guest, v4 ? Protocol.ICMP : Protocol.ICMPV6, message, 2);
  }
}
