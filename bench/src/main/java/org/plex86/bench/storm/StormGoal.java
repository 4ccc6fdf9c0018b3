// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

/**
 * How long a storm lasts: until all that is here has been reached, in one VM.
 *
 * @param swaps how often the driver is replaced, at least
 * @param seconds how long the load runs, at least
 * @param mebibytes what a stream of TCP carries each way, at least; for storms on net only
 * @param most the load ends after so many seconds, whatever has been reached
 */
public record StormGoal(int swaps, int seconds, int mebibytes, int most) {
  /** As many swaps as there can be in some seconds. */
  public static StormGoal lasting(int seconds) {
    return new StormGoal(0, seconds, 0, seconds + 60);
  }

  boolean isReached(int swapped, long nanos, long bytes) {
    return swapped >= swaps && nanos >= seconds * 1_000_000_000L && bytes >= (long) mebibytes << 20;
  }

  /** Whether the stream has got so far that it is time for the next swap: both end together. */
  boolean isDue(int swapped, long bytes) {
    return swapped >= swaps || bytes >= ((long) mebibytes << 20) / swaps * swapped;
  }
}
