// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.user.packet.Checksum;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.setup.Net;
import org.plex86.hal.net.user.wire.Wire;

/**
 * A guest in the test: it checks each packet that it gets, gives those of TCP to its connections
 * and the others to a listener. Loses frames at random where it is told to.
 */
final class Guest {
  static final Ip ADDRESS6 = new Ip(Net.PREFIX6, 0x15);

  /** A packet that was received, without its IP header. */
  record Packet(Ip source, Ip destination, int protocol, ByteBuffer data) {}

  final FakePort port;
  private final Map<Flow, GuestTcp> connections = new HashMap<>();
  private final Random random = new Random(42);
  private Function<Flow, GuestTcp> listener = flow -> null;
  private Consumer<Packet> packets = p -> {};
  private Consumer<byte[]> others = p -> {};
  private UserNet net;
  private double loss;

  Guest(FakePort port, UserNet net) {
    this.port = port;
    this.net = net;
    port.onFrame(this::received);
  }

  void net(UserNet next) {
    net = next;
  }

  void loss(double share) {
    loss = share;
  }

  void onPacket(Consumer<Packet> to) {
    packets = to;
  }

  void onOther(Consumer<byte[]> to) {
    others = to;
  }

  /** Who accepts a connection: by flow; null refuses. */
  void onConnection(Function<Flow, GuestTcp> to) {
    listener = to;
  }

  void add(GuestTcp connection) {
    connections.put(connection.flow(), connection);
  }

  private void received(byte[] frame, Offload offload) {
    if (loss > 0 && random.nextDouble() < loss) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(frame);
    int type = bytes.getShort(12) & 0xffff;
    if (type == Protocol.ETHER_ARP) {
      others.accept(frame);
      return;
    }
    boolean v4 = type == Protocol.ETHER_IPV4;
    assertThat(v4 || type == Protocol.ETHER_IPV6).isTrue();
    int at = v4 ? 34 : 54;
    int protocol = frame[v4 ? 23 : 20] & 0xff;
    Ip source = v4 ? Ip.v4(bytes.getInt(26)) : new Ip(bytes.getLong(22), bytes.getLong(30));
    Ip destination = v4 ? Ip.v4(bytes.getInt(30)) : new Ip(bytes.getLong(38), bytes.getLong(46));
    if (v4) {
      assertThat(Checksum.fold(Checksum.sum(bytes, 14, 34))).isEqualTo(0xffff);
      assertThat(bytes.getShort(16) & 0xffff).isEqualTo(frame.length - 14);
      if ((bytes.getShort(20) & 0x3fff) != 0) {
        others.accept(frame);
        return;
      }
    } else {
      assertThat(bytes.getShort(18) & 0xffff).isEqualTo(frame.length - 54);
      if (protocol == 44) {
        others.accept(frame);
        return;
      }
    }
    long pseudo = Checksum.pseudo(source, destination, protocol, frame.length - at);
    if (offload.needsChecksum()) {
      assertThat(offload.checksumStart()).isEqualTo(at);
      assertThat(bytes.getShort(at + offload.checksumOffset()) & 0xffff)
          .isEqualTo(Checksum.fold(pseudo));
    } else {
      assertThat(frame.length).isLessThanOrEqualTo(1514);
      long sum = Checksum.sum(bytes, at, frame.length);
      assertThat(Checksum.fold(protocol == Protocol.ICMP ? sum : sum + pseudo)).isEqualTo(0xffff);
    }
    ByteBuffer data = bytes.slice(at, frame.length - at);
    if (protocol != Protocol.TCP) {
      packets.accept(new Packet(source, destination, protocol, data));
      return;
    }
    Flow flow = new Flow(destination, data.getShort(2) & 0xffff, source, data.getShort(0) & 0xffff);
    GuestTcp connection = connections.get(flow);
    if (connection == null && data.get(13) == 2) {
      connection = listener.apply(flow);
      if (connection != null) {
        connections.put(flow, connection);
      }
    }
    if (connection != null) {
      connection.received(data);
    } else if ((data.get(13) & 4) == 0) {
      GuestTcp.refuse(this, flow, data);
    }
  }

  /** Sends a packet with right checksums. */
  void send(Ip source, Ip destination, int protocol, byte[] data, int checksumAt) {
    ByteBuffer l4 = ByteBuffer.wrap(data);
    long sum = Checksum.sum(l4, 0, data.length);
    if (protocol != Protocol.ICMP) {
      sum += Checksum.pseudo(source, destination, protocol, data.length);
    }
    l4.putShort(checksumAt, Checksum.of(sum));
    if (loss > 0 && random.nextDouble() < loss) {
      return;
    }
    frame(packet(source, destination, protocol, 0, 0, data, 0, data.length));
  }

  /** A frame with an IP packet. */
  static byte[] packet(
      Ip source, Ip destination, int protocol, int id, int fragment, byte[] data, int from, int n) {
    boolean v4 = source.isV4();
    ByteBuffer frame = ByteBuffer.allocate((v4 ? 34 : 54) + n);
    frame.put(Wire.routerMac()).put(FakePort.MAC);
    if (v4) {
      frame.putShort((short) Protocol.ETHER_IPV4).putShort((short) 0x4500);
      frame.putShort((short) (20 + n)).putShort((short) id).putShort((short) fragment);
      frame.put((byte) 64).put((byte) protocol).putShort((short) 0);
      source.put(frame);
      destination.put(frame);
      frame.putShort(24, Checksum.of(Checksum.sum(frame, 14, 34)));
    } else {
      frame.putShort((short) Protocol.ETHER_IPV6).putInt(0x6000_0000);
      frame.putShort((short) n).put((byte) protocol).put((byte) 255);
      source.put(frame);
      destination.put(frame);
    }
    return frame.put(data, from, n).array();
  }

  /** Sends a frame in a few buffers, and ends the batch. */
  void frame(byte[] frame) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (int from = 0; from < frame.length; from += 16_385) {
      parts.add(ByteBuffer.wrap(frame, from, Math.min(16_385, frame.length - from)).slice());
    }
    assertThat(net.send(parts, Offload.NONE)).isTrue();
    net.endOfBatch();
  }

  /** Sends a datagram. */
  void udp(Ip destination, int sourcePort, int destinationPort, byte[] payload) {
    Ip source = destination.isV4() ? Net.GUEST4 : ADDRESS6;
    send(source, destination, Protocol.UDP, datagram(sourcePort, destinationPort, payload), 6);
  }

  static byte[] datagram(int sourcePort, int destinationPort, byte[] payload) {
    ByteBuffer data = ByteBuffer.allocate(8 + payload.length);
    data.putShort((short) sourcePort).putShort((short) destinationPort);
    data.putShort((short) data.capacity()).putShort((short) 0).put(payload);
    return data.array();
  }
}
