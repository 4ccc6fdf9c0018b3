// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

/**
 * What the guest rings to announce packets: one bit for each queue, set by the nexus in memory that
 * the guest can write too, so a bit is a hint and no more.
 */
public interface Doorbell {
  /**
   * The bit that {@link #wake} sets. Hence a device has 31 queues at most; the guest may set it as
   * well, which is a wake for nothing.
   */
  int WAKE = 1 << 31;

  /**
   * Takes all bits, which clears them; waits while there are none. One thread at a time.
   *
   * @param nanos how long to wait at most; 0: not at all; negative: without end
   * @return the bits, those of queues and {@link #WAKE}; 0 when the time is over, and where the
   *     guest has cleared them meanwhile
   */
  int await(long nanos);

  /** Ends the wait of this time or the next by setting {@link #WAKE}. Any thread. Never blocks. */
  void wake();
}
