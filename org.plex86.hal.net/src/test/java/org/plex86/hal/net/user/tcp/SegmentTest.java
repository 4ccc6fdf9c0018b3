// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.user.packet.Incoming;

/** Headers of TCP behind as many IPv6 extension headers as a guest likes to send. */
class SegmentTest {
  private static final int ETHERNET = 14;
  private static final int IPV6 = 40;

  /** A SYN behind one header of destination options (RFC 8200, 4.6) of so many bytes. */
  private static ByteBuffer syn(int options) {
    int payload = options + Segment.HEADER;
    ByteBuffer frame = ByteBuffer.allocate(ETHERNET + IPV6 + payload);
    frame.position(12).putShort((short) 0x86dd);
    frame.putInt(0x6000_0000).putShort((short) payload).put((byte) 60).put((byte) 64);
    frame.putLong(0xfd00L << 48).putLong(15).putLong(0xfd00L << 48).putLong(2);
    frame.put((byte) 6).put((byte) (options / 8 - 1));
    int tcp = ETHERNET + IPV6 + options;
    frame.position(tcp).putShort((short) 1000).putShort((short) 80);
    frame.put(tcp + 12, (byte) ((Segment.HEADER / 4) << 4)).put(tcp + 13, (byte) Segment.SYN);
    return frame.clear();
  }

  @ParameterizedTest(name = "{0} bytes of options")
  @CsvSource({"8, true", "176, true", "184, false", "192, false", "200, false"})
  void headerIsUsedOnlyWhereItWasCopied(int options, boolean whole) {
    Incoming incoming = new Incoming();
    Offload checksumLeft =
        new Offload(ETHERNET + IPV6 + options, 16, Offload.Segmentation.NONE, 0, 0);
    Segment segment = new Segment();
    boolean taken = incoming.take(List.of(syn(options)), checksumLeft, 0) && segment.take(incoming);
    assertThat(taken).isEqualTo(whole);
    if (whole) {
      assertThat(segment.flow().guestPort()).isEqualTo(1000);
      assertThat(segment.has(Segment.SYN)).isTrue();
    }
  }
}
