// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.util.concurrent.TimeUnit;

/**
 * A token bucket: so many units a second, with at most a tenth of a second's units at once. A
 * request that is larger than what is there is let through and makes a debt that the later ones
 * wait for, so requests of any size go through. For one thread at a time.
 */
final class RateLimit {
  private static final double BURST_SECONDS = 0.1;
  private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

  private final double perNano;
  private final double burst;
  private double tokens;
  private long filledAt;

  /**
   * A limit.
   *
   * @param perSecond units a second; 0: no limit
   * @param now of {@link System#nanoTime}, as everywhere here
   */
  RateLimit(long perSecond, long now) {
    perNano = perSecond / NANOS;
    burst = Math.max(1, perSecond * BURST_SECONDS);
    tokens = burst;
    filledAt = now;
  }

  /** How long until a request may begin, in nanoseconds; 0: at once. */
  long delay(long now) {
    if (perNano == 0) {
      return 0;
    }
    tokens = Math.min(burst, tokens + (now - filledAt) * perNano);
    filledAt = now;
    return tokens > 0 ? 0 : (long) (-tokens / perNano) + 1;
  }

  /** A request begins. */
  void take(long units) {
    if (perNano != 0) {
      tokens -= units;
    }
  }
}
