// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.user.packet.Checksum;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.setup.Net;
import org.plex86.hal.net.user.wire.Wire;

/** All but TCP, over real sockets of the host's loopback. */
@Timeout(30)
class UserNetPacketTest {
  private static final Ip ANY = Ip.v4(0);
  private static final Ip BROADCAST = Ip.v4(-1);

  @TempDir Path folder;
  private final FakePort port = new FakePort();
  private final BlockingQueue<Guest.Packet> packets = new LinkedBlockingQueue<>();
  private final BlockingQueue<byte[]> others = new LinkedBlockingQueue<>();
  private DatagramSocket server;
  private UserNet net;
  private Guest guest;

  @BeforeEach
  void open() throws IOException, HalException {
    server = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    Path resolv = folder.resolve("resolv.conf");
    Files.writeString(resolv, "# none\nsearch example\nnameserver 127.0.0.1\n");
    net =
        UserNet.open(
            port, new UserNetConfig(List.of(), resolv, server.getLocalPort()), new HashMap<>());
    guest = new Guest(port, net);
    run(net::start);
    run(
        () -> {
          guest.onPacket(packets::add);
          guest.onOther(others::add);
        });
  }

  @AfterEach
  void close() {
    run(net::close);
    port.close();
    server.close();
    assertThat(port.crash()).isNull();
  }

  private void run(Runnable task) {
    port.call(
        () -> {
          task.run();
          return null;
        });
  }

  private Guest.Packet next(int protocol) throws InterruptedException {
    while (true) {
      Guest.Packet packet = packets.poll(20, TimeUnit.SECONDS);
      assertThat(packet).isNotNull();
      boolean advertisement = packet.protocol() == 58 && (packet.data().get(0) & 0xff) == 134;
      if (packet.protocol() == protocol && !advertisement) {
        return packet;
      }
    }
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    Pattern.fill(bytes, 0, length, 5);
    return bytes;
  }

  private static byte[] payload(Guest.Packet packet) {
    byte[] bytes = new byte[packet.data().limit() - 8];
    packet.data().get(8, bytes);
    return bytes;
  }

  private void echoOnce() throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
    server.receive(packet);
    server.send(packet);
  }

  @Test
  void datagramReachesTheHostAndItsAnswerTheGuest() throws Exception {
    run(() -> guest.udp(Net.GATEWAY4, 5000, server.getLocalPort(), bytes(1200)));
    echoOnce();
    Guest.Packet answer = next(Protocol.UDP);
    assertThat(payload(answer)).isEqualTo(bytes(1200));
    assertThat(answer.data().getShort(2)).isEqualTo((short) 5000);
  }

  @Test
  void fragmentsArePutTogetherAndLargeAnswersAreFragmented() throws Exception {
    byte[] datagram = Guest.datagram(5000, server.getLocalPort(), bytes(9000));
    // The last fragment comes first.
    int cut = 7200;
    run(
        () -> {
          guest.frame(
              Guest.packet(
                  Net.GUEST4,
                  Net.GATEWAY4,
                  Protocol.UDP,
                  7,
                  cut / 8,
                  datagram,
                  cut,
                  datagram.length - cut));
          guest.frame(
              Guest.packet(Net.GUEST4, Net.GATEWAY4, Protocol.UDP, 7, 0x2000, datagram, 0, cut));
        });
    echoOnce();
    byte[] whole = new byte[9008];
    int got = 0;
    while (got < whole.length) {
      byte[] frame = others.poll(20, TimeUnit.SECONDS);
      assertThat(frame).isNotNull();
      int at = (ByteBuffer.wrap(frame).getShort(20) & 0x1fff) * 8;
      System.arraycopy(frame, 34, whole, at, frame.length - 34);
      got += frame.length - 34;
    }
    byte[] data = new byte[9000];
    System.arraycopy(whole, 8, data, 0, 9000);
    assertThat(data).isEqualTo(bytes(9000));
  }

  @Test
  void closedPortIsReported() throws Exception {
    int closed = server.getLocalPort();
    server.close();
    run(() -> guest.udp(Net.GATEWAY4, 5000, closed, bytes(10)));
    Guest.Packet report = next(Protocol.ICMP);
    assertThat(report.data().getShort(0)).isEqualTo((short) 0x0303);
    // What is quoted names the guest's port.
    assertThat(report.data().getShort(8 + 20)).isEqualTo((short) 5000);
  }

  private static byte[] query() {
    ByteBuffer query = ByteBuffer.allocate(17);
    query.putShort((short) 0x1234).putShort((short) 0x0100).putShort((short) 1);
    return query.array();
  }

  @Test
  void queriesGoToTheHostsResolver() throws Exception {
    run(() -> guest.udp(Net.DNS4, 5353, 53, query()));
    echoOnce();
    assertThat(payload(next(Protocol.UDP))).isEqualTo(query());
    run(() -> guest.udp(Net.DNS6, 5353, 53, query()));
    echoOnce();
    assertThat(next(Protocol.UDP).source()).isEqualTo(Net.DNS6);
  }

  @Test
  void withoutAResolverTheGuestIsToldAtOnce() throws Exception {
    server.close(); // refused, both times
    run(() -> guest.udp(Net.DNS4, 5353, 53, query()));
    ByteBuffer answer = ByteBuffer.wrap(payload(next(Protocol.UDP)));
    assertThat(answer.getShort(0)).isEqualTo((short) 0x1234);
    assertThat(answer.getShort(2) & 0x800f).isEqualTo(0x8002);
  }

  @Test
  void gatewayAnswersEcho() throws Exception {
    ByteBuffer echo = ByteBuffer.allocate(64).put(new byte[] {8, 0, 0, 0, 1, 2, 3, 4});
    byte[] request = java.util.Arrays.copyOf(new byte[] {8, 0, 0, 0, 1, 2, 3, 4}, echo.capacity());
    run(() -> guest.send(Net.GUEST4, Net.GATEWAY4, Protocol.ICMP, request, 2));
    Guest.Packet reply = next(Protocol.ICMP);
    assertThat(reply.data().getShort(0)).isEqualTo((short) 0);
    assertThat(reply.data().getInt(4)).isEqualTo(0x01020304);
    request[0] = (byte) 128;
    request[2] = 0;
    request[3] = 0;
    run(() -> guest.send(Guest.ADDRESS6, Net.GATEWAY6, Protocol.ICMPV6, request, 2));
    assertThat(next(Protocol.ICMPV6).data().get(0)).isEqualTo((byte) 129);
  }

  @Test
  void answersWhoHasTheGatewaysAddress() throws Exception {
    ByteBuffer request = ByteBuffer.allocate(42);
    request.putLong(-1L).position(6).put(FakePort.MAC).putShort((short) Protocol.ETHER_ARP);
    request.putLong(0x0001_0800_0604_0001L).put(FakePort.MAC).putInt(Net.GUEST4.bits());
    request.position(38).putInt(Net.GATEWAY4.bits());
    byte[] frame = new byte[42];
    request.get(0, frame);
    run(() -> guest.frame(frame));
    byte[] reply = others.poll(20, TimeUnit.SECONDS);
    assertThat(reply).isNotNull();
    assertThat(ByteBuffer.wrap(reply).getShort(20)).isEqualTo((short) 2);
    assertThat(java.util.Arrays.copyOfRange(reply, 22, 28)).isEqualTo(Wire.routerMac());
    assertThat(ByteBuffer.wrap(reply).getInt(28)).isEqualTo(Net.GATEWAY4.bits());
  }

  private static byte[] dhcp(int type, int requested) {
    ByteBuffer message = ByteBuffer.allocate(300);
    message.putInt(0x0101_0600).putInt(0x5555).position(28).put(FakePort.MAC);
    message.position(236).putInt(0x6382_5363).put(new byte[] {53, 1, (byte) type});
    message.put((byte) 50).put((byte) 4).putInt(requested).put((byte) 0xff);
    byte[] bytes = new byte[300];
    message.get(0, bytes);
    return Guest.datagram(68, 67, bytes);
  }

  private int dhcpAnswer(int type, Ip requested) throws Exception {
    byte[] message = dhcp(type, requested.bits());
    run(() -> guest.send(ANY, BROADCAST, Protocol.UDP, message, 6));
    ByteBuffer answer = ByteBuffer.wrap(payload(next(Protocol.UDP)));
    assertThat(answer.getInt(4)).isEqualTo(0x5555);
    int kind = answer.get(242);
    assertThat(answer.getInt(16)).isEqualTo(kind == 6 ? 0 : Net.GUEST4.bits());
    return kind;
  }

  @Test
  void givesTheGuestItsAddress() throws Exception {
    assertThat(dhcpAnswer(1, ANY)).isEqualTo(2);
    assertThat(dhcpAnswer(3, Net.GUEST4)).isEqualTo(5);
    assertThat(dhcpAnswer(3, Net.DNS4)).isEqualTo(6);
  }

  @Test
  void solicitationIsAnsweredWithThePrefix() throws Exception {
    packets.clear();
    Ip self = new Ip(0xfe80_0000_0000_0000L, 0x15);
    Ip routers = new Ip(0xff02_0000_0000_0000L, 2);
    byte[] message = new byte[8];
    message[0] = (byte) 133;
    run(() -> guest.send(self, routers, Protocol.ICMPV6, message, 2));
    Guest.Packet advertisement = packets.poll(20, TimeUnit.SECONDS);
    assertThat(advertisement).isNotNull();
    assertThat(advertisement.data().get(0)).isEqualTo((byte) 134);
    assertThat(advertisement.data().getLong(16 + 8 + 16)).isEqualTo(Net.PREFIX6);
  }

  @Test
  void checksumOfOddPartsIsThatOfTheWhole() {
    byte[] all = bytes(1001);
    ByteBuffer whole = ByteBuffer.wrap(all);
    List<ByteBuffer> parts =
        List.of(
            ByteBuffer.wrap(all, 0, 7).slice(),
            ByteBuffer.wrap(all, 7, 500).slice(),
            ByteBuffer.wrap(all, 507, 494).slice());
    for (int from = 0; from < 20; from++) {
      assertThat(Checksum.fold(Checksum.sum(parts, from, 1001)))
          .isEqualTo(Checksum.fold(Checksum.sum(whole, from, 1001)));
    }
  }
}
