// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.List;
import org.plex86.hal.api.HalException;

/**
 * What the guest can see of a device: all that must stay the same, or be covered, when another
 * driver takes over. Immutable.
 *
 * @param deviceId the virtio device ID, not 0
 * @param features the device type's own feature bits
 * @param queueSizes the greatest size of each queue
 * @param config the configuration space; not to be changed by whoever holds it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; the array is this record's own
public record DeviceProfile(int deviceId, long features, List<Integer> queueSizes, byte[] config) {
  /** The doorbell has 31 bits for queues, see org.plex86.monitor.hal.Doorbell. */
  public static final int QUEUES_MAX = 31;

  /** A profile of its own: later changes of the arguments do not show. */
  public DeviceProfile {
    queueSizes = List.copyOf(queueSizes);
    config = config.clone();
  }

  /**
   * Checks the ranges of all values.
   *
   * @throws HalException says what is wrong with the driver that gave them
   */
  public void check() throws HalException {
    if (deviceId < 1 || deviceId > 63) {
      throw new HalException("device ID " + deviceId + " is not from 1 to 63");
    }
    if ((features & ~VirtioFeatures.DEVICE) != 0) {
      throw new HalException(
          "features 0x%x have bits that are the transport's (24 to 49)".formatted(features));
    }
    if (queueSizes.isEmpty() || queueSizes.size() > QUEUES_MAX) {
      throw new HalException(queueSizes.size() + " queues are not from 1 to " + QUEUES_MAX);
    }
    for (int size : queueSizes) {
      if (size < 1 || size > 32768 || Integer.bitCount(size) != 1) {
        throw new HalException("queue size " + size + " is not a power of two from 1 to 32768");
      }
    }
    if (config.length > MmioRegister.CONFIG_MAX) {
      throw new HalException(
          "a configuration space of %d bytes is more than %d"
              .formatted(config.length, MmioRegister.CONFIG_MAX));
    }
  }
}
