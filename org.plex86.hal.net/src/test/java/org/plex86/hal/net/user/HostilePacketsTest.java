// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.user.packet.Checksum;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;
import org.plex86.hal.net.user.setup.Net;

/** Packets of a guest that means harm: nothing of it escapes, and the others are still served. */
class HostilePacketsTest {
  private static final List<Integer> PROTOCOLS = List.of(1, 6, 17, 58, 44, 0, 60, 255);
  private static final List<Ip> TARGETS =
      List.of(Net.GATEWAY4, Net.DNS4, Ip.v4(-1), Net.GUEST4, Ip.v4(0x7f000001));
  private static final List<Ip> TARGETS6 =
      List.of(Net.GATEWAY6, Net.DNS6, Net.ROUTER6, new Ip(0xff02_0000_0000_0000L, 2));

  /** A packet with right checksums in half of the cases, then bytes of it are changed. */
  private static byte[] frame(Random random, int size, int damage) {
    boolean v4 = random.nextBoolean();
    byte[] data = new byte[size];
    random.nextBytes(data);
    int protocol = PROTOCOLS.get(random.nextInt(PROTOCOLS.size()));
    Ip source = v4 ? Net.GUEST4 : Guest.ADDRESS6;
    List<Ip> targets = v4 ? TARGETS : TARGETS6;
    Ip target = targets.get(random.nextInt(targets.size()));
    shape(random, data, protocol);
    int at = protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
    if (random.nextBoolean() && data.length >= at + 2) {
      ByteBuffer bytes = ByteBuffer.wrap(data).putShort(at, (short) 0);
      long pseudo = protocol == 1 ? 0 : Checksum.pseudo(source, target, protocol, size);
      bytes.putShort(at, Checksum.of(Checksum.sum(bytes, 0, size) + pseudo));
    }
    int fragment = random.nextInt(3) == 0 ? random.nextInt(0x4000) : 0;
    byte[] frame =
        Guest.packet(source, target, protocol, random.nextInt(4), fragment, data, 0, size);
    for (int i = 0; i < damage; i++) {
      frame[random.nextInt(Math.min(frame.length, 80))] = (byte) random.nextInt();
    }
    return frame;
  }

  /** Makes the ports and lengths such that the packet gets further in. */
  private static void shape(Random random, byte[] data, int protocol) {
    if (data.length < 20) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(data);
    if (protocol == 17) {
      bytes.putShort(2, (short) List.of(53, 67, 1).get(random.nextInt(3)).intValue());
      bytes.putShort(4, (short) data.length);
      if (data.length > 260) {
        bytes.putInt(8, 0x0101_0600).putInt(8 + 236, 0x6382_5363);
      }
    } else if (protocol == 6) {
      bytes.putShort(0, (short) (1 + random.nextInt(3))).putShort(2, (short) 1);
      data[12] = (byte) ((5 + random.nextInt(4)) << 4);
    } else if (protocol == 58) {
      data[0] = (byte) (128 + random.nextInt(10));
      data[1] = 0;
    }
  }

  @Property(tries = 30)
  void nothingEscapes(
      @ForAll long seed, @ForAll @IntRange(max = 1600) int size, @ForAll @IntRange(max = 6) int d)
      throws Exception {
    Random random = new Random(seed);
    FakePort port = new FakePort();
    UserNet net =
        UserNet.open(
            port, new UserNetConfig(List.of(), Path.of("/nonexistent"), 53), new HashMap<>());
    port.call(
        () -> {
          net.start();
          for (int i = 0; i < 300; i++) {
            byte[] frame = frame(random, random.nextInt(size + 1), random.nextInt(d + 1));
            int cut = random.nextInt(4) == 0 ? random.nextInt(frame.length) : frame.length;
            int half = cut == 0 ? 0 : random.nextInt(cut);
            List<ByteBuffer> parts =
                List.of(
                    ByteBuffer.wrap(frame, 0, half).slice(),
                    ByteBuffer.wrap(frame, half, cut - half).slice());
            Offload offload =
                random.nextBoolean()
                    ? Offload.NONE
                    : new Offload(34, 16, Offload.Segmentation.TCP4, 1460, 54);
            assertThat(net.send(parts, offload)).isTrue();
          }
          net.endOfBatch();
          return null;
        });
    Guest guest = new Guest(port, net);
    int[] replies = {0};
    byte[] echo = {8, 0, 0, 0, 1, 2, 3, 4};
    port.call(
        () -> {
          guest.onPacket(p -> replies[0] += p.protocol() == Protocol.ICMP ? 1 : 0);
          guest.send(Net.GUEST4, Net.GATEWAY4, Protocol.ICMP, echo, 2);
          return null;
        });
    assertThat(port.call(() -> replies[0])).isPositive();
    port.call(
        () -> {
          net.close();
          return null;
        });
    port.close();
    assertThat(port.crash()).isNull();
  }
}
