// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;

/**
 * The moment that a driver serves on after its service has gone, where it may and no other is there
 * ({@link org.plex86.hal.api.ChannelDriver#LINGERS}): an update of a bundle in place takes its
 * driver away before the new one is there. For the slot's thread, but for {@link #is}.
 */
final class Lingering {
  private final long moment; // in nanoseconds

  /** Who lingers, or has; null: nobody yet. Volatile: others ask. */
  private volatile Binding binding;

  private long begun; // of System.nanoTime

  Lingering(Duration moment) {
    this.moment = moment.toNanos();
  }

  /** A binding whose driver has gone begins to linger, if it has not yet. */
  void begin(Binding gone, long now) {
    if (binding != gone) {
      begun = now;
      binding = gone;
    }
  }

  /** Its driver is there again. */
  void end() {
    binding = null;
  }

  /** Whether a binding lingers, or has. Any thread. */
  boolean is(Binding some) {
    return some != null && some == binding;
  }

  /** How long a binding may still linger, in nanoseconds; 0 or less: no more. */
  long left(long now) {
    return moment - (now - begun);
  }
}
