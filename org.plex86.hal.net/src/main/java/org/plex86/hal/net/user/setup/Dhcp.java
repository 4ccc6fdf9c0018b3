// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.setup;

import java.nio.ByteBuffer;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** Gives the guest its IPv4 address: RFC 2131 and 2132. There is one guest, so no leases. */
public final class Dhcp {
  /** The port of the server. */
  public static final int SERVER_PORT = 67;

  private static final int CLIENT_PORT = 68;
  private static final int FIXED = 236;
  private static final int COOKIE = 0x6382_5363;
  private static final int UDP_HEADER = 8;
  // RFC 2131, 3: a client takes 576 bytes; BOOTP's old 300 are what some want at least.
  private static final int REPLY = 300;
  private static final int LEASE_SECONDS = 86_400;
  private static final int DISCOVER = 1;
  private static final int OFFER = 2;
  private static final int REQUEST = 3;
  private static final int ACK = 5;
  private static final int NAK = 6;
  private static final int INFORM = 8;

  private final Wire wire;

  /** Answers on a wire. */
  public Dhcp(Wire wire) {
    this.wire = wire;
  }

  /** The packet at hand is one of UDP to {@link #SERVER_PORT}, of a right length. */
  public void received(Incoming packet) {
    ByteBuffer bytes = packet.bytes();
    int at = packet.transport() + UDP_HEADER;
    int end = packet.end();
    // BOOTREQUEST over Ethernet.
    if (end - at < FIXED + 4
        || bytes.get(at) != 1
        || bytes.getShort(at + 1) != 0x0106
        || bytes.getInt(at + FIXED) != COOKIE) {
      return;
    }
    int type = 0;
    int requested = 0;
    int server = 0;
    int option = at + FIXED + 4;
    while (option < end) {
      int code = bytes.get(option++) & 0xff;
      if (code == 0xff) {
        break;
      }
      if (code == 0) {
        continue;
      }
      int length = option < end ? bytes.get(option) & 0xff : 256;
      option++;
      if (option + length > end) {
        return;
      }
      if (code == 53 && length == 1) {
        type = bytes.get(option);
      } else if (code == 50 && length == 4) {
        requested = bytes.getInt(option);
      } else if (code == 54 && length == 4) {
        server = bytes.getInt(option);
      }
      option += length;
    }
    int current = bytes.getInt(at + 12);
    if (type == DISCOVER) {
      reply(bytes, at, OFFER);
    } else if (type == INFORM) {
      reply(bytes, at, ACK);
    } else if (type == REQUEST && (server == 0 || server == Net.GATEWAY4.bits())) {
      int wanted = requested != 0 ? requested : current;
      reply(bytes, at, wanted == Net.GUEST4.bits() ? ACK : NAK);
    }
    // DECLINE and RELEASE change nothing: the address is the guest's for as long as it is there.
  }

  private void reply(ByteBuffer request, int at, int type) {
    byte[] client = new byte[16];
    request.get(at + 28, client);
    int current = request.getInt(at + 12);
    boolean nak = type == NAK;
    boolean inform = type == ACK && current != 0 && current != Net.GUEST4.bits();
    ByteBuffer reply = ByteBuffer.allocate(UDP_HEADER + REPLY);
    reply.putShort((short) SERVER_PORT).putShort((short) CLIENT_PORT);
    reply.putShort((short) reply.capacity()).putShort((short) 0);
    reply.putInt(0x0201_0600).putInt(request.getInt(at + 4));
    reply.putShort((short) 0).putShort(request.getShort(at + 10));
    reply.putInt(nak ? 0 : current);
    reply.putInt(nak || inform ? 0 : Net.GUEST4.bits());
    reply.putInt(nak ? 0 : Net.GATEWAY4.bits()).putInt(0).put(client);
    reply.position(UDP_HEADER + FIXED);
    reply.putInt(COOKIE).put(new byte[] {53, 1, (byte) type});
    option(reply, 54, Net.GATEWAY4.bits());
    if (!nak) {
      if (!inform) {
        option(reply, 51, LEASE_SECONDS);
      }
      option(reply, 1, Net.MASK4);
      option(reply, 3, Net.GATEWAY4.bits());
      option(reply, 6, Net.DNS4.bits());
    }
    reply.put((byte) 0xff).clear();
    // RFC 2131, 4.1: to who has no address yet as broadcast, which is right in any case.
    Ip to = current != 0 && !nak ? Ip.v4(current) : Ip.v4(-1);
    wire.packet(Net.GATEWAY4, to, Protocol.UDP, reply, 6);
  }

  private static void option(ByteBuffer reply, int code, int value) {
    reply.put((byte) code).put((byte) 4).putInt(value);
  }
}
