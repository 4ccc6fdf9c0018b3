// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/** Feature bits of queues and transport (section 6), as bits of a long. */
final class VirtioFeatures {
  /** VIRTIO_F_INDIRECT_DESC. */
  static final long INDIRECT = 1L << 28;

  /** VIRTIO_F_EVENT_IDX. */
  static final long EVENT_INDEX = 1L << 29;

  /** VIRTIO_F_VERSION_1. */
  static final long VERSION_1 = 1L << 32;

  /** What every device here offers. */
  static final long TRANSPORT = INDIRECT | EVENT_INDEX | VERSION_1;

  /** The bits that are the device type's own: 0 to 23 and 50 to 63 (section 2.2). */
  static final long DEVICE = 0xfffc000000ffffffL;

  private VirtioFeatures() {}

  static boolean has(long features, long bit) {
    return (features & bit) != 0;
  }
}
