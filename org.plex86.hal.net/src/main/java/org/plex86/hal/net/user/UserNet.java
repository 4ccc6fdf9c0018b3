// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.dns.DnsForwarder;
import org.plex86.hal.net.user.dns.Resolvers;
import org.plex86.hal.net.user.forward.Forward;
import org.plex86.hal.net.user.forward.Forwards;
import org.plex86.hal.net.user.forward.TcpForward;
import org.plex86.hal.net.user.forward.UdpForward;
import org.plex86.hal.net.user.icmp.Icmp;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.setup.Arp;
import org.plex86.hal.net.user.setup.Dhcp;
import org.plex86.hal.net.user.setup.Ndp;
import org.plex86.hal.net.user.setup.Net;
import org.plex86.hal.net.user.tcp.TcpTable;
import org.plex86.hal.net.user.udp.UdpNat;
import org.plex86.hal.net.user.udp.UdpSender;
import org.plex86.hal.net.user.wire.Wire;

/**
 * User-mode networking: a router with one guest behind it, that has no more rights than this
 * process. All but {@link Poller}'s waiting happens on the slot's thread.
 */
public final class UserNet implements Backend {
  /** The options that are read here. */
  public static final Set<String> KEYS = Set.of("forward");

  private static final String STATE = "user-net/1/state";
  private static final String FORWARDS = "user-net/1/forwards";

  private final Wire wire;
  private final Poller poller;
  private final Incoming packet = new Incoming();
  private final Icmp icmp;
  private final Arp arp;
  private final Dhcp dhcp;
  private final Ndp ndp;
  private final UdpSender sender;
  private final UdpNat udp;
  private final DnsForwarder dns;
  private final TcpTable tcp;
  private final Resolvers resolvers;
  private final Forwards forwards;
  private final Map<Forward, UdpForward> udpForwards = new HashMap<>();
  private boolean polling;

  /**
   * Opens the net: the sockets of forwards listen from here on.
   *
   * @param options of the channel, {@link #KEYS} only
   * @param inherited what {@link #handOver} of the version before has left; what is taken is
   *     removed, and nothing if this throws
   * @throws HalException a forward is wrong, or its port in use
   */
  public static UserNet open(Port port, Map<String, String> options, Map<String, Object> inherited)
      throws HalException {
    return open(port, UserNetConfig.of(options), inherited);
  }

  /** As the other. */
  @SuppressWarnings("unchecked") // as handOver made it
  public static UserNet open(Port port, UserNetConfig config, Map<String, Object> inherited)
      throws HalException {
    Map<String, Object> sockets =
        (Map<String, Object>) inherited.getOrDefault(FORWARDS, Map.<String, Object>of());
    Forwards forwards = Forwards.open(config.forwards(), sockets);
    UserNet made = null;
    try {
      made = new UserNet(port, config, forwards);
      made.restore((Map<String, Object>) inherited.getOrDefault(STATE, Map.<String, Object>of()));
    } catch (IOException e) {
      forwards.giveUp();
      if (made != null) {
        made.poller.close();
      }
      throw new HalException("user-mode networking cannot start: " + e.getMessage(), e);
    }
    inherited.remove(STATE);
    sockets.keySet().removeAll(forwards.handOver().keySet());
    if (sockets.isEmpty()) {
      inherited.remove(FORWARDS);
    }
    return made;
  }

  private UserNet(Port port, UserNetConfig config, Forwards forwards) throws IOException {
    this.forwards = forwards;
    wire = new Wire(port);
    poller = new Poller(port::execute, this::tick, this::flush);
    icmp = new Icmp(wire, Net.GATEWAY4, Net.GATEWAY6);
    arp = new Arp(wire);
    dhcp = new Dhcp(wire);
    ndp = new Ndp(wire);
    sender = new UdpSender(wire);
    udp = new UdpNat(port, poller, icmp, sender);
    resolvers = new Resolvers(config.resolvConf(), config.dnsPort());
    dns = new DnsForwarder(poller, sender, resolvers);
    tcp = new TcpTable(port, wire, poller, icmp, this::route, this::flush);
    try {
      for (var entry : forwards.sockets().entrySet()) {
        listen(port, entry.getKey(), entry.getValue());
      }
    } catch (IOException e) {
      poller.close();
      throw e;
    }
  }

  private void listen(Port port, Forward forward, Channel channel) throws IOException {
    if (channel instanceof ServerSocketChannel server) {
      new TcpForward(
          port,
          poller,
          server,
          client -> tcp.accepted(client, Net.GATEWAY4, Net.GUEST4, forward.guestPort()));
    } else {
      Flow guest = new Flow(Net.GUEST4, forward.guestPort(), Net.GATEWAY4, 0);
      udpForwards.put(
          forward, new UdpForward(port, poller, sender, (DatagramChannel) channel, guest));
    }
  }

  /** Where the host is to go for an address of the guest's; null: nowhere. */
  private InetSocketAddress route(Ip to, int port) {
    if (Net.isDns(to)) {
      List<InetSocketAddress> servers = resolvers.servers();
      return port != 53 || servers.isEmpty() ? null : servers.get(0);
    }
    if (Net.isGateway(to)) {
      byte[] loopback =
          to.isV4()
              ? new byte[] {127, 0, 0, 1}
              : new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
      try {
        return new InetSocketAddress(InetAddress.getByAddress(loopback), port);
      } catch (UnknownHostException e) {
        throw new AssertionError("4 or 16 bytes are an address", e);
      }
    }
    boolean nowhere = Net.contains(to) || to.isLoopback() || to.isMany();
    return nowhere ? null : new InetSocketAddress(to.toInetAddress(), port);
  }

  @Override
  public void start() {
    wire.setUp(true);
    if (!polling) {
      polling = true;
      poller.start();
    }
    wire.drain();
    tcp.start();
    ndp.advertiseRouter();
    flush();
  }

  @Override
  public boolean send(List<ByteBuffer> frame, Offload offload) {
    if (packet.take(frame, offload, System.nanoTime() / 1_000_000)) {
      if (packet.etherType() == Protocol.ETHER_ARP) {
        arp.received(packet);
      } else if (!packet.source().isMany() || packet.protocol() != Protocol.TCP) {
        ip();
      }
    }
    return true;
  }

  private void ip() {
    switch (packet.protocol()) {
      case Protocol.TCP -> {
        if (!packet.destination().isMany() && !packet.source().isLoopback()) {
          tcp.received(packet);
        }
      }
      case Protocol.UDP -> udp();
      case Protocol.ICMP, Protocol.ICMPV6 -> icmp();
      default -> {}
    }
  }

  private void udp() {
    ByteBuffer bytes = packet.bytes();
    int at = packet.transport();
    int available = packet.end() - at;
    int length = available < UdpSender.HEADER ? 0 : bytes.getShort(at + 4) & 0xffff;
    if (length < UdpSender.HEADER || length != available) {
      return;
    }
    // RFC 768: 0 means that there is none, which IPv6 does not allow.
    boolean none = bytes.getShort(at + 6) == 0 && packet.source().isV4();
    if (!none && !packet.checksumIsRight()) {
      return;
    }
    Flow flow =
        new Flow(
            packet.source(),
            bytes.getShort(at) & 0xffff,
            packet.destination(),
            bytes.getShort(at + 2) & 0xffff);
    ByteBuffer payload = bytes.slice(at + UdpSender.HEADER, length - UdpSender.HEADER);
    boolean v4 = packet.destination().isV4();
    if (v4 && flow.peerPort() == Dhcp.SERVER_PORT && !isElsewhere(flow.peer())) {
      dhcp.received(packet);
    } else if (packet.source().isMany() || packet.destination().isMany()) {
      return;
    } else if (Net.isDns(flow.peer()) && flow.peerPort() == 53) {
      dns.query(flow, payload);
    } else if (udpForwards.values().stream().noneMatch(f -> f.answer(flow, payload))) {
      InetSocketAddress to = flow.peerPort() == 0 ? null : route(flow.peer(), flow.peerPort());
      if (to == null) {
        icmp.unreachable(packet, Icmp.Reason.PORT);
      } else {
        udp.send(flow, packet, payload, to);
      }
    }
  }

  private static boolean isElsewhere(Ip ip) {
    return !ip.isMany() && !Net.isOurs(ip);
  }

  private void icmp() {
    boolean v6 = packet.protocol() == Protocol.ICMPV6;
    int available = packet.end() - packet.transport();
    if (v6 == packet.source().isV4() || available < 8) {
      return;
    }
    if (v6 && !packet.checksumIsRight()) {
      return;
    }
    if (!Icmp.isEchoRequest(packet)) {
      if (v6) {
        ndp.received(packet);
      }
    } else if (Net.isOurs(packet.destination())) {
      icmp.echo(packet);
    } else if (!packet.destination().isMany()) {
      icmp.unreachable(packet, Icmp.Reason.PROHIBITED);
    }
  }

  @Override
  public void endOfBatch() {
    flush();
  }

  private void flush() {
    tcp.endOfBatch();
    wire.flush();
    poller.flush();
  }

  private void tick() {
    boolean more = tcp.tick(wire.isUp() && wire.drain());
    more |= udp.tick();
    more |= dns.tick();
    if (!more) {
      poller.wantTicks(false);
    }
  }

  @Override
  public void roomAgain() {
    if (wire.drain()) {
      tcp.roomAgain();
    }
    flush();
  }

  @Override
  public void stop() {
    wire.setUp(false);
  }

  @Override
  public Map<String, Object> handOver() {
    poller.close();
    Map<String, Object> state = new HashMap<>();
    state.put("tcp", tcp.handOver());
    state.put("udp", udp.handOver());
    state.put("dns", dns.handOver());
    state.put("frames", wire.waiting());
    Map<String, Object> clients = new HashMap<>();
    udpForwards.forEach((forward, f) -> clients.put(forward.toString(), f.handOver()));
    state.put("clients", clients);
    Map<String, Object> handed = new HashMap<>();
    handed.put(STATE, state);
    handed.put(FORWARDS, forwards.handOver());
    return handed;
  }

  @SuppressWarnings("unchecked") // as handOver made it
  private void restore(Map<String, Object> state) throws IOException {
    if (state.isEmpty()) {
      return;
    }
    wire.restore((List<byte[]>) state.get("frames"));
    tcp.restore((List<Object>) state.get("tcp"));
    udp.restore((List<Object>) state.get("udp"));
    dns.restore((List<Object>) state.get("dns"));
    Map<String, Object> clients = (Map<String, Object>) state.get("clients");
    udpForwards.forEach(
        (forward, f) -> {
          if (clients.get(forward.toString()) instanceof Map<?, ?> known) {
            f.restore((Map<Integer, SocketAddress>) known);
          }
        });
  }

  /** How many connections of TCP there are. */
  int connections() {
    return tcp.size();
  }

  @Override
  public void close() {
    tcp.close();
    udp.close();
    dns.close();
    forwards.close();
    poller.close();
    wire.flush();
  }
}
