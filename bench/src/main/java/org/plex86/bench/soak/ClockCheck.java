// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Holds the guest's clock and ticks against the host's clock, from the lines "tick MONOTONIC_NS
 * REALTIME_NS EXPIRATIONS JIFFIES LATEST_NS" that worker.c prints every second.
 */
final class ClockCheck {
  /** Rate of the guest's timer and of its USER_HZ, and so of both counters. */
  private static final double PERIOD_NANOS = 1e7;

  /** A tick that is due but not yet counted, at either end, and one for a busy guest. */
  private static final double TICKS_TOLERATED = 3;

  private static final double PPM_TOLERATED = 100;

  /** The delay of a line on its way to us is never quite the same. */
  private static final double DELAY_NANOS = 5e6;

  /** A window long enough to hold some lines that were not delayed. */
  private static final int WINDOW = 15;

  private record Tick(
      long host, long monotonic, long wallOffset, long expirations, long jiffies, long late) {

    /** How far the host's clock is ahead; both count from points of their own. */
    long offset() {
      return host - monotonic;
    }
  }

  private final List<Tick> ticks = new ArrayList<>();
  private long longestGap;

  synchronized void line(long hostNanos, String text) {
    String[] field = text.split(" ");
    if (field.length != 6) {
      return;
    }
    long hostWall = System.currentTimeMillis() * 1_000_000;
    Tick tick =
        new Tick(
            hostNanos,
            Long.parseLong(field[1]),
            Long.parseLong(field[2]) - hostWall,
            Long.parseLong(field[3]),
            Long.parseLong(field[4]),
            Long.parseLong(field[5]));
    if (!ticks.isEmpty()) {
      longestGap = Math.max(longestGap, hostNanos - ticks.get(ticks.size() - 1).host());
    }
    ticks.add(tick);
  }

  /** Checks what has come; a finding is one line. */
  synchronized void report(Findings findings) {
    if (ticks.size() < 2 * WINDOW) {
      findings.bad("clock: only %d lines from the guest's timer".formatted(ticks.size()));
      return;
    }
    Tick first = ticks.get(0);
    Tick last = ticks.get(ticks.size() - 1);
    double elapsed = (double) (last.host() - first.host());

    // A line is only ever late, so the least offset of a window is the truest.
    Tick early = truest(ticks.subList(0, WINDOW));
    Tick recent = truest(ticks.subList(ticks.size() - WINDOW, ticks.size()));
    double between = (double) (recent.host() - early.host());
    double drift = (double) (early.offset() - recent.offset());
    findings.check(
        Math.abs(drift) <= DELAY_NANOS + PPM_TOLERATED * 1e-6 * between,
        String.format(
            Locale.ROOT,
            "clock: %.0f s by the guest, %+.1f ppm against the host (tolerated %.0f)",
            (last.monotonic() - first.monotonic()) / 1e9,
            drift / between * 1e6,
            PPM_TOLERATED));

    double due = (last.monotonic() - first.monotonic()) / PERIOD_NANOS;
    double lost = due - (last.expirations() - first.expirations());
    double lostJiffies = due - ((last.jiffies() - first.jiffies()) & 0xffffffffL);
    findings.check(
        Math.abs(lost) <= TICKS_TOLERATED,
        String.format(Locale.ROOT, "timer: %.0f expirations due, %.1f lost", due, lost));
    findings.check(
        Math.abs(lostJiffies) <= TICKS_TOLERATED,
        String.format(Locale.ROOT, "ticks: %.0f due, %.1f lost", due, lostJiffies));
    findings.check(
        Math.abs(last.wallOffset()) < 1_000_000_000L + PPM_TOLERATED * 1e-6 * elapsed,
        String.format(
            Locale.ROOT, "wall clock: %+.3f s to the host's at the end", last.wallOffset() / 1e9));
    findings.told(
        String.format(
            Locale.ROOT,
            "longest pause: %.2f s between two lines that are a second apart; a timer of the busy"
                + " guest was served at most %.2f s late",
            longestGap / 1e9,
            ticks.stream().mapToLong(Tick::late).max().orElse(0) / 1e9));
  }

  private static Tick truest(List<Tick> window) {
    return Collections.min(window, Comparator.comparingLong(Tick::offset));
  }
}
