// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

/**
 * For how long a thread looks for work before it sleeps. To be woken costs more than a guest takes
 * from one request to the next where it waits for each (6 us on one CPU, up to 60 us across CPUs of
 * a nested host), so looking pays as long as something is found; where nothing is, it is tried more
 * and more seldom, so that a host with nothing to spare loses nothing to speak of. One thread.
 */
final class Lookout {
  /** The longest look. */
  static final long LOOK_NANOS = 50_000;

  /** A sleep that ended sooner than this, the time to wake up counted, may be worth a look. */
  private static final long SHORT_SLEEP_NANOS = 120_000;

  private static final int SKIPPED_MAX = 256;

  private boolean promising;
  private int skip; // short sleeps that are not looked at
  private int skipAfterMiss = 1;

  /** How long to look now, in nanoseconds; 0: not at all. */
  long worth() {
    return promising ? LOOK_NANOS : 0;
  }

  /** Looking has found something. */
  void found() {
    skipAfterMiss = 1;
  }

  /** Looking has found nothing. */
  void missed() {
    promising = false;
    skip = skipAfterMiss;
    skipAfterMiss = Math.min(SKIPPED_MAX, 2 * skipAfterMiss);
  }

  /** There was work again after a sleep without a look before it. */
  void slept(long nanos) {
    if (nanos < SHORT_SLEEP_NANOS && --skip <= 0) {
      skip = 0;
      promising = true;
    }
  }
}
