// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.setup;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** Answers who has an IPv4 address: RFC 826. */
public final class Arp {
  private static final int LENGTH = 28;

  private final Wire wire;

  /** Answers on a wire. */
  public Arp(Wire wire) {
    this.wire = wire;
  }

  /** The frame at hand is one of ARP. */
  public void received(Incoming packet) {
    int at = Protocol.ETHERNET_HEADER;
    ByteBuffer bytes = packet.bytes();
    if (packet.end() - at < LENGTH
        || bytes.getLong(at) != 0x0001_0800_0604_0001L
        || !Net.isOurs(Ip.v4(bytes.getInt(at + 24)))) {
      return;
    }
    byte[] guest = new byte[10];
    bytes.get(at + 8, guest);
    ByteBuffer reply = ByteBuffer.allocate(Protocol.ETHERNET_HEADER + LENGTH);
    reply.put(guest, 0, 6).put(Wire.routerMac()).putShort((short) Protocol.ETHER_ARP);
    reply.putLong(0x0001_0800_0604_0002L);
    reply.put(Wire.routerMac()).putInt(bytes.getInt(at + 24)).put(guest);
    wire.frame(reply.array(), reply.position());
  }
}
