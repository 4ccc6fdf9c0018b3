// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The latest events of a slot. Any thread. */
final class SlotHistory {
  /** How many events are kept. */
  static final int KEPT = 256;

  private final Deque<SlotEvent> events = new ArrayDeque<>();

  synchronized void add(String what, Duration stall) {
    if (events.size() == KEPT) {
      events.removeFirst();
    }
    events.addLast(new SlotEvent(Instant.now(), what, stall));
  }

  /** The events, the oldest first. */
  synchronized List<SlotEvent> events() {
    return List.copyOf(events);
  }
}
