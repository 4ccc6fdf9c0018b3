// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/** The arithmetic of VIRTIO_F_EVENT_IDX (section 2.7.10, vring_need_event), modulo 2^16. */
final class EventIndex {
  private EventIndex() {}

  /**
   * Whether an index that moved from {@code before} to {@code after} has passed the event: whether
   * the entry numbered {@code event} is among those added.
   */
  static boolean passed(int event, int before, int after) {
    return ((after - event - 1) & 0xffff) < ((after - before) & 0xffff);
  }
}
