// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.udp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.icmp.Icmp;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Incoming;
import org.plex86.hal.net.user.packet.Protocol;

/**
 * Datagrams of the guest's to the host's net: one connected socket per pair of ends, so that the
 * host's kernel says when nobody listens. The least recently used gives way. Slot's thread.
 */
public final class UdpNat {
  /** The most sockets at a time. */
  public static final int MOST = 1024;

  private static final long IDLE_MS = 60_000;
  private static final int AT_ONCE = 64;

  private final class Entry implements Poller.Handler {
    private final Flow flow;
    private final DatagramChannel host;
    private SelectionKey key;
    private byte[] quote = new byte[0];
    private long used;

    private Entry(Flow flow, DatagramChannel host) throws IOException {
      this.flow = flow;
      this.host = host;
      key = poller.add(host, SelectionKey.OP_READ, this);
    }

    @Override
    public void ready(int operations) {
      try {
        for (int i = 0; i < AT_ONCE; i++) {
          buffer.clear();
          if (host.read(buffer) <= 0 && buffer.position() == 0) {
            break;
          }
          used = now();
          sender.send(flow, buffer.flip());
        }
      } catch (PortUnreachableException e) {
        icmp.unreachable(flow.guest(), flow.peer(), quote, Icmp.Reason.PORT);
      } catch (IOException e) {
        icmp.unreachable(flow.guest(), flow.peer(), quote, Icmp.Reason.NO_ROUTE);
      }
      if (host.isOpen()) {
        poller.want(key, SelectionKey.OP_READ);
      }
    }

    private void close() {
      try {
        host.close();
      } catch (IOException e) {
        port.reportError("a UDP socket did not close", e);
      }
      poller.closedOne();
    }
  }

  private final Port port;
  private final Poller poller;
  private final Icmp icmp;
  private final UdpSender sender;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);
  private final LinkedHashMap<Flow, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

  /** An empty table. */
  public UdpNat(Port port, Poller poller, Icmp icmp, UdpSender sender) {
    this.port = port;
    this.poller = poller;
    this.icmp = icmp;
    this.sender = sender;
  }

  private static long now() {
    return System.nanoTime() / 1_000_000;
  }

  /** Sends the datagram at hand to an address. */
  public void send(Flow flow, Incoming packet, ByteBuffer payload, InetSocketAddress to) {
    Entry entry = entries.get(flow);
    if (entry == null) {
      entry = open(flow, to);
      if (entry == null) {
        icmp.unreachable(packet, Icmp.Reason.NO_ROUTE);
        return;
      }
    }
    entry.used = now();
    int length = packet.transport() + UdpSender.HEADER - Protocol.ETHERNET_HEADER;
    if (entry.quote.length != length) {
      entry.quote = new byte[length];
    }
    packet.bytes().get(Protocol.ETHERNET_HEADER, entry.quote);
    try {
      // What the socket does not take at once is dropped, as a full queue of a router does.
      entry.host.write(payload);
    } catch (PortUnreachableException e) {
      icmp.unreachable(packet, Icmp.Reason.PORT);
    } catch (IOException e) {
      icmp.unreachable(packet, Icmp.Reason.NO_ROUTE);
    }
  }

  private Entry open(Flow flow, SocketAddress to) {
    if (entries.size() >= MOST) {
      Iterator<Entry> eldest = entries.values().iterator();
      eldest.next().close();
      eldest.remove();
    }
    DatagramChannel host = null;
    try {
      host = DatagramChannel.open();
      host.connect(to);
      Entry entry = new Entry(flow, host);
      entries.put(flow, entry);
      poller.wantTicks(true);
      return entry;
    } catch (IOException e) {
      close(host);
      return null;
    }
  }

  private static void close(DatagramChannel host) {
    try {
      if (host != null) {
        host.close();
      }
    } catch (IOException e) {
      // It was never used.
    }
  }

  /** Looks at the time; true if there is something to wait for. */
  public boolean tick() {
    long now = now();
    Iterator<Entry> all = entries.values().iterator();
    while (all.hasNext()) {
      Entry eldest = all.next();
      if (now - eldest.used < IDLE_MS) {
        break;
      }
      eldest.close();
      all.remove();
    }
    return !entries.isEmpty();
  }

  /** How many sockets there are. */
  public int size() {
    return entries.size();
  }

  /** The sockets for {@link #restore}. */
  public List<Object> handOver() {
    List<Object> saved = new ArrayList<>();
    entries.forEach(
        (flow, entry) -> saved.add(Map.of("flow", flow.toLongs(), "channel", entry.host)));
    entries.clear();
    return saved;
  }

  /** Takes over sockets. */
  @SuppressWarnings("unchecked") // as handOver made it
  public void restore(List<Object> saved) throws IOException {
    for (Object one : saved) {
      Map<String, Object> entry = (Map<String, Object>) one;
      Flow flow = Flow.of((long[]) entry.get("flow"));
      Entry made = new Entry(flow, (DatagramChannel) entry.get("channel"));
      made.used = now();
      made.quote = quoteOf(flow);
      entries.put(flow, made);
      poller.wantTicks(true);
    }
  }

  /** Enough of a packet for the guest to know which socket is meant. */
  private static byte[] quoteOf(Flow flow) {
    ByteBuffer quote = ByteBuffer.allocate(flow.isV4() ? 28 : 48);
    if (flow.isV4()) {
      quote.putInt(0x4500_001c).putInt(0).putInt(0x4011_0000);
    } else {
      quote.putInt(0x6000_0000).putInt(0x0008_1140);
    }
    flow.guest().put(quote);
    flow.peer().put(quote);
    quote.putShort((short) flow.guestPort()).putShort((short) flow.peerPort()).putInt(0x0008_0000);
    return quote.array();
  }

  /** Closes all sockets. */
  public void close() {
    entries.values().forEach(Entry::close);
    entries.clear();
  }
}
