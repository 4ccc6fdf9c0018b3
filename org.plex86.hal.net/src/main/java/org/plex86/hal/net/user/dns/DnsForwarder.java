// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.dns;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.udp.UdpSender;

/**
 * Brings the guest's queries to the host's resolvers, one after the other until one answers. Each
 * has a socket of its own, whose port nobody can guess. Slot's thread.
 */
public final class DnsForwarder {
  private static final int MOST = 256;
  private static final int HEADER = 12;
  private static final long PATIENCE_MS = 2000;
  private static final int ROUNDS = 2;

  private final class Query implements Poller.Handler {
    private final Flow flow;
    private final byte[] message;
    private DatagramChannel channel;
    private SelectionKey key;
    private int tries;
    private long deadline;

    private Query(Flow flow, byte[] message) {
      this.flow = flow;
      this.message = message;
    }

    /** Asks the next server; false if there is none left. */
    private boolean ask() {
      List<InetSocketAddress> servers = resolvers.servers();
      while (tries < servers.size() * ROUNDS) {
        InetSocketAddress server = servers.get(tries++ % servers.size());
        closeChannel();
        try {
          channel = DatagramChannel.open();
          channel.connect(server);
          key = poller.add(channel, SelectionKey.OP_READ, this);
          channel.write(ByteBuffer.wrap(message));
          deadline = now() + PATIENCE_MS;
          return true;
        } catch (IOException e) {
          // no way to that one
        }
      }
      return false;
    }

    @Override
    public void ready(int operations) {
      if (!queries.contains(this)) {
        return;
      }
      try {
        buffer.clear();
        channel.read(buffer);
        buffer.flip();
        boolean answer = buffer.remaining() >= HEADER && buffer.getShort(0) == id();
        if (!answer) {
          poller.want(key, SelectionKey.OP_READ);
          return;
        }
        sender.send(flow, buffer);
        end();
      } catch (IOException e) {
        if (!ask()) {
          fail();
        }
      }
    }

    private short id() {
      return ByteBuffer.wrap(message).getShort(0);
    }

    /** RFC 1035, 4.1.1: an answer that says SERVFAIL. */
    private void fail() {
      ByteBuffer answer = ByteBuffer.wrap(message.clone());
      answer.putShort(2, (short) ((answer.getShort(2) & 0x7900) | 0x8082));
      sender.send(flow, answer);
      end();
    }

    private void end() {
      queries.remove(this);
      closeChannel();
    }

    private void closeChannel() {
      if (channel == null) {
        return;
      }
      try {
        channel.close();
      } catch (IOException e) {
        // The descriptor is gone in any case.
      }
      channel = null;
      poller.closedOne();
    }
  }

  private final Poller poller;
  private final UdpSender sender;
  private final Resolvers resolvers;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);
  private final Set<Query> queries = new LinkedHashSet<>();

  /** Asks resolvers for the guest. */
  public DnsForwarder(Poller poller, UdpSender sender, Resolvers resolvers) {
    this.poller = poller;
    this.sender = sender;
    this.resolvers = resolvers;
  }

  private static long now() {
    return System.nanoTime() / 1_000_000;
  }

  /** A query of the guest's. */
  public void query(Flow flow, ByteBuffer payload) {
    byte[] message = new byte[payload.remaining()];
    payload.get(message);
    // A query with one question at least; an answer is none of ours.
    if (message.length < HEADER || message[2] < 0) {
      return;
    }
    if (queries.size() >= MOST) {
      queries.iterator().next().end();
    }
    Query query = new Query(flow, message);
    queries.add(query);
    poller.wantTicks(true);
    if (!query.ask()) {
      query.fail();
    }
  }

  /** Looks at the time; true if there is something to wait for. */
  public boolean tick() {
    long now = now();
    for (Query query : List.copyOf(queries)) {
      if (now - query.deadline >= 0 && !query.ask()) {
        query.fail();
      }
    }
    return !queries.isEmpty();
  }

  /** The queries without answer: they are asked again by {@link #restore}. */
  public List<Object> handOver() {
    List<Object> saved = new ArrayList<>();
    queries.forEach(q -> saved.add(Map.of("flow", q.flow.toLongs(), "message", q.message)));
    close();
    return saved;
  }

  /** Takes over queries. */
  @SuppressWarnings("unchecked") // as handOver made it
  public void restore(List<Object> saved) {
    for (Object one : saved) {
      Map<String, Object> query = (Map<String, Object>) one;
      query(Flow.of((long[]) query.get("flow")), ByteBuffer.wrap((byte[]) query.get("message")));
    }
  }

  /** Ends all queries. */
  public void close() {
    Iterator<Query> all = queries.iterator();
    while (all.hasNext()) {
      Query query = all.next();
      all.remove();
      query.closeChannel();
    }
  }
}
