// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.BitSet;
import java.util.List;

/**
 * What a driver that takes over must have in common with the one before, because the guest knows
 * it. For one thread at a time.
 *
 * <p>Of the configuration space those bytes may differ that the device may change at run time
 * anyway, by a configuration change. All others describe the device, and Linux reads them once.
 */
final class DevicePins {
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

  /** Why a device cannot replace one that the guest does not use; null if it can. */
  String conflictOfDevice(DeviceProfile known, DeviceProfile offered) {
    return offered.deviceId() == known.deviceId()
        ? null
        : "its device ID is %d, the guest knows %d".formatted(offered.deviceId(), known.deviceId());
  }

  /**
   * Why a device cannot replace one that the guest uses; null if it can.
   *
   * @param features those that the guest was granted, or offered as long as it has not chosen
   * @param sizes the size of each queue, or its greatest as long as the guest has not chosen
   */
  String conflict(DeviceProfile known, DeviceProfile offered, long features, int[] sizes) {
    String conflict = conflictOfDevice(known, offered);
    if (conflict != null) {
      return conflict;
    }
    long missing = features & ~offered.features();
    if (missing != 0) {
      return "it lacks the features 0x%x, which the guest knows".formatted(missing);
    }
    List<Integer> greatest = offered.queueSizes();
    if (greatest.size() < sizes.length) {
      return "it has %d queues, the guest knows %d".formatted(greatest.size(), sizes.length);
    }
    for (int i = 0; i < sizes.length; i++) {
      if (greatest.get(i) < sizes[i]) {
        return "its queue %d has a size of %d, the guest knows %d"
            .formatted(i, greatest.get(i), sizes[i]);
      }
    }
    return conflictOfConfig(known.deviceId(), known.config(), offered.config());
  }

  /** Why a configuration space cannot replace another; null if it can. */
  String conflictOfConfig(int deviceId, byte[] before, byte[] after) {
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
