// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What people can learn of a slot: its state, its history, its log lines. Any thread. */
final class SlotReport {
  private static final int CAUSES_KEPT = 64;

  /** A cause that was not seen for so long was gone: when it comes back, that is news. */
  private static final long CLEARED_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final String name;
  private final ChannelHost host;
  private final SlotHistory history = new SlotHistory();
  private final LineBudget guestLines = new LineBudget();

  /** When each was seen last. */
  private final Map<String, Long> causes = new HashMap<>();

  private SlotState state = SlotState.UNBOUND;
  private Instant since = Instant.now();
  private String reason = "";
  private int bindings;
  private int crashes;
  private Duration lastStall = Duration.ZERO;

  SlotReport(String name, ChannelHost host) {
    this.name = name;
    this.host = host;
  }

  synchronized void enter(SlotState next, String why) {
    state = next;
    since = Instant.now();
    reason = why;
  }

  synchronized String reason() {
    return reason;
  }

  synchronized SlotStatus status(String driver, int inFlight, long taken, long completed) {
    return new SlotStatus(
        state, driver, since, reason, bindings, crashes, inFlight, taken, completed, lastStall);
  }

  List<SlotEvent> events() {
    return history.events();
  }

  void event(String what) {
    history.add(what, Duration.ZERO);
  }

  void bound(String driver, Duration stall) {
    synchronized (this) {
      bindings++;
      lastStall = stall;
    }
    history.add("bound to " + driver, stall);
  }

  /** A driver crashed or hung. */
  void crash(String what, Throwable cause) {
    synchronized (this) {
      crashes++;
    }
    history.add(cause == null ? what : what + ": " + cause, Duration.ZERO);
    host.reportError(name, what, cause);
  }

  /** A driver's error, once for as long as its cause is there. */
  void error(String what, Throwable cause) {
    error(what, cause, System.nanoTime());
  }

  /** As the other, at a time of {@link System#nanoTime}. */
  void error(String what, Throwable cause, long now) {
    String key = cause == null ? what : what + ": " + cause;
    synchronized (this) {
      if (causes.size() >= CAUSES_KEPT && !causes.containsKey(key)) {
        causes.clear();
      }
      Long seen = causes.put(key, now);
      if (seen != null && now - seen < CLEARED_NANOS) {
        return;
      }
    }
    history.add(key, Duration.ZERO);
    host.reportError(name, what, cause);
  }

  /** The guest broke its device: one line, but not as many as a hostile guest likes. */
  void misuse(String what) {
    history.add(what, Duration.ZERO);
    String line = guestLines.admit(what, System.nanoTime());
    if (line != null) {
      host.log(name, line);
    }
  }
}
