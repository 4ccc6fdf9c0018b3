// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;

/**
 * How long a slot waits for drivers.
 *
 * @param quiesce how long a driver that is to go may go on with the packets it has taken, before it
 *     is closed. Short: the guest gets no new packet served meanwhile
 * @param linger how long a driver that may do so serves on after it has gone, for the next to come.
 *     Longer than an update of its bundle takes on a busy host
 * @param patience how long a callback may take while somebody waits for its end: a reset by the
 *     guest, a bundle that stops, the end of the virtual machine. Then its thread is left behind
 */
record SlotTiming(Duration quiesce, Duration linger, Duration patience) {
  static final SlotTiming DEFAULT =
      new SlotTiming(Duration.ofMillis(20), Duration.ofMillis(250), Duration.ofSeconds(5));
}
