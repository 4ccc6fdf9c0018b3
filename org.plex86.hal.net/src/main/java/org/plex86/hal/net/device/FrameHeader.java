// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Offload.Segmentation;

/** struct virtio_net_hdr (virtio 1.2, section 5.1.6), which stands before each frame. */
final class FrameHeader {
  static final int BYTES = 12;

  /** Two addresses and a type. */
  static final int FRAME_MIN = 14;

  /** An Ethernet header, and the largest IP packet with 14 bytes to spare for tags. */
  static final int FRAME_MAX = 65_550;

  private static final int NEEDS_CSUM = 1;
  private static final int GSO_NONE = 0;
  private static final int GSO_TCPV4 = 1;
  private static final int GSO_UDP = 3;
  private static final int GSO_TCPV6 = 4;

  private static final int FLAGS_AT = 0;
  private static final int GSO_TYPE_AT = 1;
  private static final int HDR_LEN_AT = 2;
  private static final int GSO_SIZE_AT = 4;
  private static final int CSUM_START_AT = 6;
  private static final int CSUM_OFFSET_AT = 8;
  private static final int NUM_BUFFERS_AT = 10;

  /** As TCP_MIN_GSO_SIZE of Linux: smaller ones only multiply frames. */
  private static final int SEGMENT_MIN = 8;

  private FrameHeader() {}

  /**
   * What a guest's header says.
   *
   * @param header the 12 bytes, copied out of the guest's reach
   * @param length of the frame in bytes
   * @param features those that were negotiated
   * @return null: it makes no sense for this frame
   */
  static Offload parse(byte[] header, int length, long features) {
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    boolean needsChecksum = (fields.get(FLAGS_AT) & NEEDS_CSUM) != 0;
    int type = fields.get(GSO_TYPE_AT) & 0xff;
    if (!needsChecksum) {
      // segments have checksums of their own, which somebody has to compute
      return type == GSO_NONE ? Offload.NONE : null;
    }
    int start = fields.getShort(CSUM_START_AT) & 0xffff;
    int offset = fields.getShort(CSUM_OFFSET_AT) & 0xffff;
    if (!NetFeatures.has(features, NetFeatures.CSUM)
        || start < FRAME_MIN
        || start + offset + 2 > length) {
      return null;
    }
    if (type == GSO_NONE) {
      return new Offload(start, offset, Segmentation.NONE, 0, 0);
    }
    Segmentation segmentation =
        type == GSO_TCPV4 && NetFeatures.has(features, NetFeatures.HOST_TSO4)
            ? Segmentation.TCP4
            : type == GSO_TCPV6 && NetFeatures.has(features, NetFeatures.HOST_TSO6)
                ? Segmentation.TCP6
                : null;
    int size = fields.getShort(GSO_SIZE_AT) & 0xffff;
    int headers = fields.getShort(HDR_LEN_AT) & 0xffff;
    return segmentation == null || size < SEGMENT_MIN
        ? null
        : new Offload(start, offset, segmentation, size, headers <= length ? headers : 0);
  }

  /** Writes the header of a frame for the guest, which lies in some of its buffers. */
  static void write(Offload offload, int buffers, byte[] into) {
    ByteBuffer fields = ByteBuffer.wrap(into).order(ByteOrder.LITTLE_ENDIAN);
    boolean partial = offload.needsChecksum();
    fields.put(FLAGS_AT, (byte) (partial ? NEEDS_CSUM : 0));
    fields.put(GSO_TYPE_AT, (byte) type(offload.segmentation()));
    fields.putShort(HDR_LEN_AT, (short) offload.headerLength());
    fields.putShort(GSO_SIZE_AT, (short) offload.segmentSize());
    fields.putShort(CSUM_START_AT, (short) (partial ? offload.checksumStart() : 0));
    fields.putShort(CSUM_OFFSET_AT, (short) (partial ? offload.checksumOffset() : 0));
    fields.putShort(NUM_BUFFERS_AT, (short) buffers);
  }

  private static int type(Segmentation segmentation) {
    return switch (segmentation) {
      case NONE -> GSO_NONE;
      case TCP4 -> GSO_TCPV4;
      case TCP6 -> GSO_TCPV6;
      case UDP -> GSO_UDP;
    };
  }
}
