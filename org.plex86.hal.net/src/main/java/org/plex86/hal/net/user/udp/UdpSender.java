// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.udp;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** Datagrams to the guest: RFC 768. */
public final class UdpSender {
  /** Bytes of a header. */
  public static final int HEADER = 8;

  private static final int LARGEST = 65_535 - 20 - HEADER;

  private final Wire wire;

  /** Sends on a wire. */
  public UdpSender(Wire wire) {
    this.wire = wire;
  }

  /** Sends from the peer of a flow to the guest; what cannot be a datagram is dropped. */
  public void send(Flow flow, ByteBuffer payload) {
    int length = payload.remaining();
    if (length > LARGEST) {
      return;
    }
    ByteBuffer packet = ByteBuffer.allocate(HEADER + length);
    packet.putShort((short) flow.peerPort()).putShort((short) flow.guestPort());
    packet.putShort((short) (HEADER + length)).putShort((short) 0).put(payload).clear();
    wire.packet(flow.peer(), flow.guest(), Protocol.UDP, packet, 6);
  }
}
