// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/** Bits of the Status register (section 2.1). */
final class DeviceStatus {
  static final int ACKNOWLEDGE = 1;
  static final int DRIVER = 2;
  static final int DRIVER_OK = 4;
  static final int FEATURES_OK = 8;
  static final int NEEDS_RESET = 64;
  static final int FAILED = 128;
  static final int ALL = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK | NEEDS_RESET | FAILED;

  private DeviceStatus() {}
}
