// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.plex86.hal.net.link.Offload.Segmentation;

/** What a guest says of a frame is checked against the frame. */
class VirtioHeaderTest {
  private static byte[] header(int flags, int type, int size, int start, int offset) {
    return ByteBuffer.allocate(VirtioHeader.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) flags)
        .put((byte) type)
        .putShort((short) 54)
        .putShort((short) size)
        .putShort((short) start)
        .putShort((short) offset)
        .array();
  }

  @Property
  void offsetsOfAnyAcceptedHeaderLieInTheFrame(
      @ForAll @Size(VirtioHeader.BYTES) byte[] header,
      @ForAll @IntRange(min = VirtioHeader.FRAME_MIN, max = VirtioHeader.FRAME_MAX) int length) {
    Offload offload = VirtioHeader.parse(header, length);
    if (offload != null && offload.needsChecksum()) {
      assertThat(offload.checksumStart()).isGreaterThanOrEqualTo(VirtioHeader.FRAME_MIN);
      assertThat(offload.checksumStart() + offload.checksumOffset() + 2)
          .isLessThanOrEqualTo(length);
      assertThat(offload.headerLength()).isBetween(0, length);
    }
  }

  @Property
  void headerForTheGuestIsReadAsItWasWritten(
      @ForAll @IntRange(min = 14, max = 100) int start,
      @ForAll @IntRange(max = 20) int offset,
      @ForAll @IntRange(min = 8, max = 65_535) int size) {
    Offload offload = new Offload(start, offset, Segmentation.TCP6, size, 74);
    byte[] header = new byte[VirtioHeader.BYTES];
    VirtioHeader.write(offload, 3, header);
    assertThat(VirtioHeader.parse(header, 1000)).isEqualTo(offload);
    assertThat(header[10]).isEqualTo((byte) 3);
  }

  @Test
  void checksumThatEndsBehindTheFrameIsRefused() {
    assertThat(VirtioHeader.parse(header(1, 0, 0, 34, 16), 52)).isNotNull();
    assertThat(VirtioHeader.parse(header(1, 0, 0, 34, 16), 51)).isNull();
    assertThat(VirtioHeader.parse(header(1, 0, 0, 0xffff, 0xffff), 60)).isNull();
    assertThat(VirtioHeader.parse(header(1, 0, 0, 13, 0), 60)).isNull();
  }

  @Test
  void segmentationNeedsAChecksumAndASize() {
    assertThat(VirtioHeader.parse(header(1, 1, 1448, 34, 16), 3000))
        .isEqualTo(new Offload(34, 16, Segmentation.TCP4, 1448, 54));
    assertThat(VirtioHeader.parse(header(0, 1, 1448, 34, 16), 3000)).isNull();
    assertThat(VirtioHeader.parse(header(1, 1, 0, 34, 16), 3000)).isNull();
    assertThat(VirtioHeader.parse(header(1, 3, 1448, 34, 16), 3000)).isNull();
  }
}
