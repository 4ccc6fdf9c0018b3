// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.link;

/**
 * What of a frame's checksums and segments is left to the receiving side: struct virtio_net_hdr of
 * virtio 1.2, 5.1.6, with offsets that were checked against the frame.
 *
 * @param checksumStart where the checksummed bytes begin, in bytes from the start of the Ethernet
 *     frame; -1: the checksum is complete
 * @param checksumOffset where the checksum is, in bytes from checksumStart
 * @param segmentation how the frame is to be cut
 * @param segmentSize payload bytes of each segment; 0 for {@link Segmentation#NONE}
 * @param headerLength bytes of all headers from the start of the frame; a hint, 0 if not known
 */
public record Offload(
    int checksumStart,
    int checksumOffset,
    Segmentation segmentation,
    int segmentSize,
    int headerLength) {
  /** Nothing is left to do. */
  public static final Offload NONE = new Offload(-1, 0, Segmentation.NONE, 0, 0);

  /** VIRTIO_NET_HDR_GSO_*. */
  public enum Segmentation {
    NONE,
    TCP4,
    TCP6,
    UDP
  }

  /** Whether the checksum of the frame's payload is left to be computed. */
  public boolean needsChecksum() {
    return checksumStart >= 0;
  }
}
