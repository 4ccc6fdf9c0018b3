// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;

/** What the guest's side of the soak (soak.guest.sh and worker.c) reports, added up. */
final class GuestLoad {
  private static final Pattern RESULT = Pattern.compile("@ (\\S+) (\\d+) (\\d+)");
  private static final Pattern ROUND = Pattern.compile("round (\\d+)");
  private static final Pattern DONE = Pattern.compile("done (\\d+)");
  private static final int FAILURES_KEPT = 20;

  private final ClockCheck clock;
  private final Map<String, Long> checks = new TreeMap<>();
  private final List<String> failures = new ArrayList<>();
  private long failed;
  private int round;
  private boolean done;

  GuestLoad(ClockCheck clock) {
    this.clock = clock;
  }

  /** Takes a line of the guest's output; called on the reader's thread. */
  synchronized void line(ChildProcess.Line line) {
    String text = line.text().strip();
    Matcher result = RESULT.matcher(text);
    Matcher roundBegins = ROUND.matcher(text);
    if (result.matches()) {
      checks.merge(result.group(1), Long.parseLong(result.group(2)), Long::sum);
    } else if (roundBegins.matches()) {
      round = Integer.parseInt(roundBegins.group(1));
    } else if (DONE.matcher(text).matches()) {
      done = true;
    } else if (text.startsWith("tick ")) {
      clock.line(line.nanos(), text);
    } else if (text.startsWith("FAIL ") || text.startsWith("error ")) {
      failed++;
      if (failures.size() < FAILURES_KEPT) {
        failures.add(text);
      }
    }
  }

  /** Checks by kind of load. */
  synchronized Map<String, Long> checks() {
    return new TreeMap<>(checks);
  }

  synchronized long failed() {
    return failed;
  }

  /** The first failures, as the guest told them. */
  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  synchronized int round() {
    return round;
  }

  /** Whether the guest's script ran to its end. */
  synchronized boolean done() {
    return done;
  }
}
