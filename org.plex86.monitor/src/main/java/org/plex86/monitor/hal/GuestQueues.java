// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * The queues of a slot's guest, from DRIVER_OK to the reset, whoever serves them. For the slot's
 * thread, but for the figures.
 */
final class GuestQueues {
  private boolean live;
  private long features;
  private int rung; // a bit for each queue that the driver is to be notified of

  /** By number; null where the guest uses none. Volatile: counted by other threads. */
  private volatile List<Virtqueue> queues = List.of();

  /** The guest's driver is up. */
  void start(long negotiated, List<Virtqueue> started) {
    features = negotiated;
    queues = started;
    rung = 0;
    live = true;
  }

  /** Whether the guest's driver is up. */
  boolean isLive() {
    return live;
  }

  /** The device type's feature bits that the guest has acknowledged. */
  long features() {
    return features;
  }

  /** A queue by its number; null if the guest has none such. */
  Virtqueue get(int number) {
    List<Virtqueue> all = queues;
    return live && number < all.size() ? all.get(number) : null;
  }

  /** The guest has reset the device. */
  void stop() {
    live = false;
    queues = List.of();
    rung = 0;
  }

  /** Voids the packets of the queues that were closed. */
  void discardClosed() {
    for (Virtqueue queue : queues) {
      if (queue != null && queue.isClosed()) {
        queue.discard();
      }
    }
  }

  /** Queues were kicked; bits of queues that there are not have no effect. */
  void ring(int bits) {
    rung |= bits & ((1 << queues.size()) - 1);
  }

  /** The driver is to be notified of every queue, as nothing before was announced to it. */
  void ringAll() {
    ring(-1);
  }

  boolean isRung() {
    return rung != 0;
  }

  /** The bits of the queues that the driver is to be notified of; they count as announced. */
  int takeRung() {
    int bits = rung;
    rung = 0;
    return bits;
  }

  /**
   * To be called when the driver has had its turn.
   *
   * @param served whether a driver is notified of kicks; if not, kicks may stay as they are, as the
   *     next driver is notified anyway
   */
  void settle(boolean served) {
    List<Virtqueue> all = queues;
    for (int i = 0; i < all.size(); i++) {
      Virtqueue queue = all.get(i);
      if (queue != null && !served) {
        queue.flush();
      } else if (queue != null && queue.settle()) {
        rung |= 1 << i;
      }
    }
  }

  /** Takes all packets back from the driver; returns how many there were. */
  int takeBack() {
    int count = 0;
    for (Virtqueue queue : queues) {
      if (queue != null) {
        queue.flush();
        count += queue.takeBack();
      }
    }
    return count;
  }

  /** How many packets the driver holds. Any thread, perhaps an old value. */
  int inFlight() {
    return queues.stream().mapToInt(queue -> queue == null ? 0 : queue.inFlight()).sum();
  }

  /** How many packets drivers took. Any thread, perhaps an old value. */
  long taken() {
    return queues.stream().mapToLong(queue -> queue == null ? 0 : queue.takenCount()).sum();
  }

  /** How many packets drivers completed. Any thread, perhaps an old value. */
  long completed() {
    return queues.stream().mapToLong(queue -> queue == null ? 0 : queue.completedCount()).sum();
  }
}
