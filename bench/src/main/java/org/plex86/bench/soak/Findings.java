// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.util.ArrayList;
import java.util.List;

/** What was checked and what came of it, line by line. */
final class Findings {
  private final List<String> lines = new ArrayList<>();
  private int bad;

  /** A check that held if {@code good}; {@code text} says what was checked and found. */
  synchronized void check(boolean good, String text) {
    lines.add((good ? "ok    " : "WRONG ") + text);
    if (!good) {
      bad++;
    }
  }

  synchronized void bad(String text) {
    check(false, text);
  }

  /** Something worth knowing that is not a check. */
  synchronized void told(String text) {
    lines.add("      " + text);
  }

  synchronized boolean allGood() {
    return bad == 0;
  }

  @Override
  public synchronized String toString() {
    return String.join("\n", lines);
  }
}
