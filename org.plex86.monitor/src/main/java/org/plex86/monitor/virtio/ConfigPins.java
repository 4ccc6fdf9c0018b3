// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.BitSet;

/**
 * Which bytes of a configuration space may differ when another driver takes over a device that the
 * guest uses: those that the device may change at run time anyway, by a configuration change. All
 * others describe the device, and Linux reads them once. For one thread at a time.
 */
final class ConfigPins {
  /** Bytes that were changed at run time before, so that the guest knows that they do. */
  private final BitSet changing = new BitSet();

  /** A driver has changed the configuration space while it served. */
  void changed(byte[] before, byte[] after) {
    for (int at = 0; at < before.length; at++) {
      if (before[at] != after[at]) {
        changing.set(at);
      }
    }
  }

  /** Why a configuration space cannot replace another; null if it can. */
  String conflict(int deviceId, byte[] before, byte[] after) {
    if (before.length != after.length) {
      return "its configuration space has %d bytes, the guest knows %d"
          .formatted(after.length, before.length);
    }
    for (int at = 0; at < before.length; at++) {
      if (before[at] != after[at] && !changes(deviceId, at) && !changing.get(at)) {
        return "byte %d of its configuration space is 0x%02x, the guest knows 0x%02x"
            .formatted(at, after[at], before[at]);
      }
    }
    if (deviceId == 2 && Long.compareUnsigned(sectors(after), sectors(before)) < 0) {
      return "its disk of %d sectors is smaller than the guest's of %d"
          .formatted(sectors(after), sectors(before));
    }
    return null;
  }

  private static boolean changes(int deviceId, int at) {
    return switch (deviceId) {
      case 1 -> at >= 6 && at < 8; // net: status (section 5.1.4)
      case 2 -> at < 8 || at == 32; // block: capacity, writeback (section 5.2.4)
      case 3 -> at < 4 || at >= 8; // console: cols, rows, emerg_wr (section 5.3.4)
      default -> false;
    };
  }

  private static long sectors(byte[] config) {
    long value = 0;
    for (int at = Math.min(config.length, 8) - 1; at >= 0; at--) {
      value = value << 8 | (config[at] & 0xff);
    }
    return value;
  }
}
