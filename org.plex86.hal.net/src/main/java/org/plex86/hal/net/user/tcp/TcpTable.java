// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.icmp.Icmp;
import org.plex86.hal.net.user.io.ChunkPool;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.wire.Wire;

/** All connections of TCP, and what they share. Slot's thread. */
public final class TcpTable implements Tcp {
  /** Where the host is to connect to for an address of the guest's. */
  public interface Router {
    /** The host's address; null if there is none. */
    InetSocketAddress route(Ip address, int port);
  }

  /** The most connections at a time; a further one is refused. */
  public static final int MOST = 8192;

  private static final int MEMORY = 64 << 20;
  private static final int FIRST_PORT = 1024;

  private final Wire wire;
  private final Poller poller;
  private final Icmp icmp;
  private final Router router;
  private final Port port;
  private final PromptPeers promptPeers;
  private final ChunkPool pool = new ChunkPool(MEMORY);
  private final Segment segment = new Segment();
  private final SecureRandom random = new SecureRandom();
  private final Map<Flow, TcpConnection> connections = new HashMap<>();
  private final Set<TcpConnection> timed = new LinkedHashSet<>();
  private final Set<TcpConnection> blocked = new LinkedHashSet<>();
  private final Set<TcpConnection> starved = new LinkedHashSet<>();
  private List<TcpConnection> acknowledgements = new ArrayList<>();
  private int nextPort;

  /**
   * An empty table.
   *
   * @param afterBatch run after a batch that was begun here, as after one of the poller's
   */
  public TcpTable(
      Port port, Wire wire, Poller poller, Icmp icmp, Router router, Runnable afterBatch) {
    this.port = port;
    this.wire = wire;
    this.poller = poller;
    this.icmp = icmp;
    this.router = router;
    promptPeers = new PromptPeers(port, afterBatch);
    nextPort = FIRST_PORT + random.nextInt(20_000);
  }

  /** The packet at hand is one of TCP. */
  public void received(Incoming packet) {
    if (!segment.take(packet)) {
      return;
    }
    Flow flow = segment.flow();
    TcpConnection connection = connections.get(flow);
    if (connection != null) {
      connection.received(segment);
    } else if (!segment.has(Segment.RST)) {
      boolean opening = segment.has(Segment.SYN) && !segment.has(Segment.ACK);
      if (!(opening && open(flow, packet))) {
        refuse(flow);
      }
    }
  }

  private boolean open(Flow flow, Incoming packet) {
    if (connections.size() >= MOST || flow.peerPort() == 0) {
      return false;
    }
    InetSocketAddress address = router.route(flow.peer(), flow.peerPort());
    if (address == null) {
      return false;
    }
    SocketChannel host;
    try {
      host = SocketChannel.open();
    } catch (IOException e) {
      port.reportError("no socket for a connection of the guest's", e);
      return false;
    }
    int quoted = packet.transport() + 8 - Protocol.ETHERNET_HEADER;
    byte[] quote = new byte[quoted];
    packet.bytes().get(Protocol.ETHERNET_HEADER, quote);
    TcpConnection made = TcpConnection.toHost(this, flow, host, random.nextInt(), segment, quote);
    connections.put(flow, made);
    made.connect(address);
    return true;
  }

  /** RFC 9293, 3.10.7.1: a segment of no connection. */
  private void refuse(Flow flow) {
    ByteBuffer header = ByteBuffer.allocate(Segment.HEADER);
    boolean ack = segment.has(Segment.ACK);
    header.putShort((short) flow.peerPort()).putShort((short) flow.guestPort());
    header.putInt(ack ? segment.acknowledgement() : 0);
    header.putInt(ack ? 0 : segment.sequence() + segment.space());
    header.put((byte) ((Segment.HEADER / 4) << 4));
    header.put((byte) (ack ? Segment.RST : Segment.RST | Segment.ACK));
    wire.packet(flow.peer(), flow.guest(), Protocol.TCP, header.clear(), 16);
  }

  /** A client of the host's is to be connected to a port of the guest. */
  public void accepted(SocketChannel client, Ip gateway, Ip guest, int guestPort)
      throws IOException {
    Flow flow = null;
    for (int i = 0; i < MOST + 1 && connections.size() < MOST; i++) {
      nextPort = nextPort == 65_535 ? FIRST_PORT : nextPort + 1;
      flow = new Flow(guest, guestPort, gateway, nextPort);
      if (!connections.containsKey(flow)) {
        connections.put(flow, TcpConnection.toGuest(this, flow, client, random.nextInt()));
        return;
      }
    }
    client.close();
  }

  /** Sends the acknowledgements that are due. */
  public void endOfBatch() {
    List<TcpConnection> due = acknowledgements;
    if (!due.isEmpty()) {
      acknowledgements = new ArrayList<>(due.size());
      for (TcpConnection connection : due) {
        if (!connection.acknowledgeSoon()) {
          acknowledgements.add(connection);
        }
      }
    }
    if (!starved.isEmpty() && !pool.isEmpty()) {
      takeAll(starved).forEach(TcpConnection::pump);
    }
  }

  /** The guest has room again. */
  public void roomAgain() {
    takeAll(blocked).forEach(TcpConnection::pump);
  }

  private static List<TcpConnection> takeAll(Collection<TcpConnection> from) {
    List<TcpConnection> all = new ArrayList<>(from);
    from.clear();
    return all;
  }

  /** Looks at the time; true if there is something to wait for. */
  public boolean tick(boolean guestTakes) {
    long now = now();
    for (TcpConnection connection : takeAll(timed)) {
      long deadline = connection.send().deadline();
      if (deadline == 0) {
        continue;
      }
      timed.add(connection);
      if (now - deadline >= 0) {
        if (guestTakes) {
          connection.expired();
        } else {
          connection.send().postpone();
        }
      }
    }
    return !timed.isEmpty() || !starved.isEmpty();
  }

  /** The guest's driver is up: all connections go on. */
  public void start() {
    List.copyOf(connections.values()).forEach(TcpConnection::resume);
  }

  /** How many connections there are. */
  public int size() {
    return connections.size();
  }

  /** The connections for {@link #restore}; their channels stay open. */
  public List<Object> handOver() {
    promptPeers.end();
    List<Object> saved = new ArrayList<>(connections.size());
    connections.values().forEach(c -> saved.add(c.save()));
    connections.clear();
    return saved;
  }

  /** Takes over connections. */
  @SuppressWarnings("unchecked") // as handOver made it
  public void restore(List<Object> saved) throws IOException {
    for (Object one : saved) {
      TcpConnection made = TcpConnection.restore(this, (Map<String, Object>) one);
      connections.put(made.flow(), made);
    }
  }

  /** Ends all, as the guest has ended: what it did not finish is reset. */
  public void close() {
    List.copyOf(connections.values()).forEach(TcpConnection::guestIsGone);
  }

  @Override
  public Wire wire() {
    return wire;
  }

  @Override
  public Poller poller() {
    return poller;
  }

  @Override
  public ChunkPool pool() {
    return pool;
  }

  @Override
  public Icmp icmp() {
    return icmp;
  }

  @Override
  public long now() {
    return System.nanoTime() / 1_000_000;
  }

  @Override
  public void timed(TcpConnection connection) {
    timed.add(connection);
    poller.wantTicks(true);
  }

  @Override
  public void blocked(TcpConnection connection) {
    blocked.add(connection);
  }

  @Override
  public void acknowledge(TcpConnection connection) {
    acknowledgements.add(connection);
  }

  @Override
  public boolean watch(TcpConnection connection) {
    return promptPeers.add(connection);
  }

  @Override
  public void starved(TcpConnection connection) {
    starved.add(connection);
    poller.wantTicks(true);
  }

  @Override
  public void ended(TcpConnection connection) {
    connections.remove(connection.flow(), connection);
    timed.remove(connection);
    blocked.remove(connection);
    starved.remove(connection);
  }
}
