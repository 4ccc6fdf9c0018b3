// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Offload.Segmentation;

/** What is cut in software is what a card would have cut. */
class SegmenterTest {
  private static final int IP = 14;
  private static final int TCP4 = IP + 20;
  private static final int TCP6 = IP + 40;
  private static final int TCP_HEADER = 32;
  private static final int SEQUENCE = 0xffff_f000;

  private static Frame frame(byte[] bytes, Offload offload) {
    return Frame.copy(List.of(ByteBuffer.wrap(bytes)), offload, new ConcurrentLinkedQueue<>());
  }

  private static byte[] tcp(boolean six, byte[] payload) {
    int tcp = six ? TCP6 : TCP4;
    ByteBuffer out = ByteBuffer.allocate(tcp + TCP_HEADER + payload.length);
    for (int i = 0; i < tcp; i++) {
      out.put(i, (byte) (i * 7));
    }
    out.putShort(12, (short) (six ? 0x86dd : 0x0800));
    out.put(IP, (byte) (six ? 0x60 : 0x45));
    out.putInt(tcp + 4, SEQUENCE);
    out.put(tcp + 12, (byte) 0x80);
    out.put(tcp + 13, (byte) 0x99); // CWR, ACK, PSH, FIN
    return out.position(tcp + TCP_HEADER).put(payload).array();
  }

  /** The sum over a range and its pseudo header; 0xffff where the checksum is right. */
  private static int sum(byte[] frame, boolean six) {
    int tcp = six ? TCP6 : TCP4;
    long sum = 6L + frame.length - tcp;
    for (int i = six ? IP + 8 : IP + 12; i < frame.length; i++) {
      sum += ((i - tcp) & 1) == 0 ? (frame[i] & 0xff) << 8 : frame[i] & 0xff;
    }
    while (sum >> 16 != 0) {
      sum = (sum & 0xffff) + (sum >> 16);
    }
    return (int) sum;
  }

  @Property(tries = 300)
  void segmentsHoldThePayloadWithRightChecksums(
      @ForAll boolean six,
      @ForAll @Size(min = 1, max = 5000) byte[] payload,
      @ForAll @IntRange(min = 8, max = 1448) int size) {
    int tcp = six ? TCP6 : TCP4;
    Offload offload =
        new Offload(tcp, 16, six ? Segmentation.TCP6 : Segmentation.TCP4, size, tcp + TCP_HEADER);
    List<Frame> segments = Segmenter.split(frame(tcp(six, payload), offload));
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int i = 0; i < segments.size(); i++) {
      byte[] data = segments.get(i).data();
      ByteBuffer fields = ByteBuffer.wrap(data);
      assertThat(sum(data, six)).isEqualTo(0xffff);
      assertThat(fields.getInt(tcp + 4)).isEqualTo(SEQUENCE + i * size);
      assertThat((data[tcp + 13] & 0x80) != 0).isEqualTo(i == 0);
      assertThat((data[tcp + 13] & 0x09) != 0).isEqualTo(i == segments.size() - 1);
      int length = six ? fields.getShort(IP + 4) + 40 : fields.getShort(IP + 2);
      assertThat(length).isEqualTo(data.length - IP);
      joined.write(data, tcp + TCP_HEADER, data.length - tcp - TCP_HEADER);
    }
    assertThat(joined.toByteArray()).isEqualTo(payload);
  }

  @Property
  void anyFrameIsCutOrDropped(
      @ForAll @Size(min = 14, max = 300) byte[] bytes,
      @ForAll boolean six,
      @ForAll @IntRange(min = 14, max = 298) int start,
      @ForAll @IntRange(min = 8, max = 2000) int size) {
    if (start + 2 <= bytes.length) {
      Segmentation segmentation = six ? Segmentation.TCP6 : Segmentation.TCP4;
      List<Frame> segments =
          Segmenter.split(frame(bytes, new Offload(start, 0, segmentation, size, 0)));
      assertThat(segments).allMatch(segment -> !segment.offload().needsChecksum());
    }
  }
}
