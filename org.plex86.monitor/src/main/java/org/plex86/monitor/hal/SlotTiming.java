// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;

/**
 * How long a slot waits for drivers.
 *
 * @param quiesce how long a driver that is to go may go on with the packets it has taken, before it
 *     is closed. Short: the guest gets no new packet served meanwhile
 * @param patience how long a callback may take while somebody waits for its end: a reset by the
 *     guest, a bundle that stops, the end of the virtual machine. Then its thread is left behind
 */
record SlotTiming(Duration quiesce, Duration patience) {
  static final SlotTiming DEFAULT = new SlotTiming(Duration.ofMillis(20), Duration.ofSeconds(5));
}
