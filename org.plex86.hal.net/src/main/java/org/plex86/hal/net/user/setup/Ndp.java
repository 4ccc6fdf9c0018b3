// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.setup;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** Gives the guest its IPv6 address and router: RFC 4861, 4862 and 8106. */
public final class Ndp {
  private static final int ROUTER_SOLICITATION = 133;
  private static final int ROUTER_ADVERTISEMENT = 134;
  private static final int NEIGHBOUR_SOLICITATION = 135;
  private static final int NEIGHBOUR_ADVERTISEMENT = 136;
  private static final int HOPS = 255;
  private static final Ip ALL_NODES = new Ip(0xff02_0000_0000_0000L, 1);
  private static final int ROUTER_SECONDS = 9000;
  private static final int PREFIX_SECONDS = 86_400;

  private final Wire wire;

  /** Answers on a wire. */
  public Ndp(Wire wire) {
    this.wire = wire;
  }

  /** The packet at hand is one of ICMPv6 with a right checksum. */
  public void received(Incoming packet) {
    ByteBuffer bytes = packet.bytes();
    int at = packet.transport();
    int length = packet.end() - at;
    if (length < 8 || packet.hopLimit() != HOPS || bytes.get(at + 1) != 0) {
      return;
    }
    int type = bytes.get(at) & 0xff;
    if (type == ROUTER_SOLICITATION) {
      advertiseRouter();
    } else if (type == NEIGHBOUR_SOLICITATION && length >= 24) {
      Ip target = new Ip(bytes.getLong(at + 8), bytes.getLong(at + 16));
      if (Net.isOurs(target)) {
        advertise(target, packet.source());
      }
    }
  }

  private void advertise(Ip target, Ip to) {
    ByteBuffer message = ByteBuffer.allocate(32);
    boolean known = !to.isMany();
    // Router, override, and solicited where somebody with an address asks.
    message.put((byte) NEIGHBOUR_ADVERTISEMENT).put((byte) 0).putShort((short) 0);
    message.putInt(known ? 0xe000_0000 : 0xa000_0000);
    target.put(message);
    message.put((byte) 2).put((byte) 1).put(Wire.routerMac()).flip();
    wire.packet(target, known ? to : ALL_NODES, Protocol.ICMPV6, HOPS, message, 2);
  }

  /** Tells the guest of its prefix, router and resolver. */
  public void advertiseRouter() {
    ByteBuffer message = ByteBuffer.allocate(16 + 8 + 32 + 24);
    message.put((byte) ROUTER_ADVERTISEMENT).put((byte) 0).putShort((short) 0);
    message.put((byte) 64).put((byte) 0).putShort((short) ROUTER_SECONDS).putLong(0);
    message.put((byte) 1).put((byte) 1).put(Wire.routerMac());
    // The prefix is on the link, and addresses are made of it.
    message.put((byte) 3).put((byte) 4).put((byte) 64).put((byte) 0xc0);
    message.putInt(PREFIX_SECONDS).putInt(PREFIX_SECONDS).putInt(0);
    message.putLong(Net.PREFIX6).putLong(0);
    message.put((byte) 25).put((byte) 3).putShort((short) 0).putInt(ROUTER_SECONDS);
    Net.DNS6.put(message);
    message.flip();
    wire.packet(Net.ROUTER6, ALL_NODES, Protocol.ICMPV6, HOPS, message, 2);
  }
}
