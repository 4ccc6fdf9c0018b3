// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

/** Feature bits of a network device (virtio 1.2, section 5.1.3), as masks. */
final class NetFeatures {
  /** The device takes frames whose checksum is left to it. */
  static final long CSUM = 1L;

  /** The guest takes frames whose checksum is left to it. */
  static final long GUEST_CSUM = 1L << 1;

  static final long MTU = 1L << 3;
  static final long MAC = 1L << 5;
  static final long GUEST_TSO4 = 1L << 7;
  static final long GUEST_TSO6 = 1L << 8;
  static final long HOST_TSO4 = 1L << 11;
  static final long HOST_TSO6 = 1L << 12;

  /** A frame for the guest may be spread over several of its buffers. */
  static final long MRG_RXBUF = 1L << 15;

  static final long STATUS = 1L << 16;
  static final long CTRL_VQ = 1L << 17;
  static final long CTRL_RX = 1L << 18;
  static final long CTRL_MAC_ADDR = 1L << 23;

  static final long OFFERED =
      CSUM
          | GUEST_CSUM
          | MTU
          | MAC
          | GUEST_TSO4
          | GUEST_TSO6
          | HOST_TSO4
          | HOST_TSO6
          | MRG_RXBUF
          | STATUS
          | CTRL_VQ
          | CTRL_RX
          | CTRL_MAC_ADDR;

  private NetFeatures() {}

  static boolean has(long features, long bit) {
    return (features & bit) != 0;
  }
}
