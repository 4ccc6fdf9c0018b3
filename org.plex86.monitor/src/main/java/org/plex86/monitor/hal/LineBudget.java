// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.concurrent.TimeUnit;

/** Holds back lines of log that a guest can cause at will: 10 a minute. Any thread. */
final class LineBudget {
  private static final int LINES = 10;
  private static final long PERIOD = TimeUnit.MINUTES.toNanos(1);

  private boolean begun;
  private long start;
  private int lines;
  private long heldBack;

  /**
   * A line to be logged.
   *
   * @param now of {@link System#nanoTime}
   * @return what to log; null if it is held back
   */
  synchronized String admit(String line, long now) {
    if (!begun || now - start >= PERIOD) {
      begun = true;
      start = now;
      lines = 0;
    }
    if (lines == LINES) {
      heldBack++;
      return null;
    }
    lines++;
    String text = heldBack == 0 ? line : line + " (" + heldBack + " lines like this held back)";
    heldBack = 0;
    return text;
  }
}
