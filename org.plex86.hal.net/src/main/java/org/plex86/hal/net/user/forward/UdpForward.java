// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.forward;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.util.LinkedHashMap;
import java.util.Map;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.udp.UdpSender;

/** Brings datagrams of the host's clients to one port of the guest, and the answers back. */
public final class UdpForward implements Poller.Handler {
  private static final int MOST_CLIENTS = 1024;
  private static final int AT_ONCE = 64;
  private static final int FIRST_PORT = 32_768;

  private final Port port;
  private final Poller poller;
  private final UdpSender sender;
  private final DatagramChannel channel;
  private final Flow guest;
  private final SelectionKey key;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);
  private final Map<SocketAddress, Integer> portOf = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<Integer, SocketAddress> clientOf = new LinkedHashMap<>();
  private int nextPort = FIRST_PORT;

  /** Receives from now on. */
  public UdpForward(Port port, Poller poller, UdpSender sender, DatagramChannel channel, Flow guest)
      throws IOException {
    this.port = port;
    this.poller = poller;
    this.sender = sender;
    this.channel = channel;
    this.guest = guest;
    key = poller.add(channel, SelectionKey.OP_READ, this);
  }

  @Override
  public void ready(int operations) {
    try {
      for (int i = 0; i < AT_ONCE; i++) {
        buffer.clear();
        SocketAddress client = channel.receive(buffer);
        if (client == null) {
          break;
        }
        sender.send(
            new Flow(guest.guest(), guest.guestPort(), guest.peer(), port(client)), buffer.flip());
      }
    } catch (IOException e) {
      port.reportError("a forward of UDP did not receive", e);
    }
    if (channel.isOpen()) {
      poller.want(key, SelectionKey.OP_READ);
    }
  }

  private int port(SocketAddress client) {
    Integer known = portOf.get(client);
    if (known != null) {
      return known;
    }
    if (portOf.size() >= MOST_CLIENTS) {
      SocketAddress eldest = portOf.keySet().iterator().next();
      clientOf.remove(portOf.remove(eldest));
    }
    do {
      nextPort = nextPort == 65_535 ? FIRST_PORT : nextPort + 1;
    } while (clientOf.containsKey(nextPort));
    portOf.put(client, nextPort);
    clientOf.put(nextPort, client);
    return nextPort;
  }

  /** A datagram of the guest's: true if it is an answer to a client of this forward. */
  public boolean answer(Flow flow, ByteBuffer payload) {
    SocketAddress client =
        flow.guestPort() == guest.guestPort()
                && flow.peer().equals(guest.peer())
                && flow.guest().equals(guest.guest())
            ? clientOf.get(flow.peerPort())
            : null;
    if (client == null) {
      return false;
    }
    try {
      channel.send(payload, client);
    } catch (IOException e) {
      port.reportError("a forward of UDP did not send", e);
    }
    return true;
  }

  /** The clients for {@link #restore}. */
  public Map<Integer, SocketAddress> handOver() {
    return new LinkedHashMap<>(clientOf);
  }

  /** Takes over clients. */
  public void restore(Map<Integer, SocketAddress> clients) {
    clients.forEach(
        (number, client) -> {
          portOf.put(client, number);
          clientOf.put(number, client);
          nextPort = number;
        });
  }
}
