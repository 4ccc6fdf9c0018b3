// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A line of the supervisor's report pipe. */
sealed interface NexusReport {
  /** A space process exists. */
  record Space(int slot, int pid) implements NexusReport {}

  /** Space 0 exists; the guest can go. */
  record Ready() implements NexusReport {}

  /** A space process died by itself; {@code how} is {@code exit N} or {@code signal N}. */
  record Died(int slot, String how, int number) implements NexusReport {}

  /** The guest ended by itself; the control memory says why. */
  record Ended() implements NexusReport {}

  /** The supervisor could not set up. */
  record Failed(String text) implements NexusReport {}

  /** Reads a line; empty when it is none of these. */
  static Optional<NexusReport> parse(String line) {
    if (line.equals("ready")) {
      return Optional.of(new Ready());
    }
    if (line.equals("ended")) {
      return Optional.of(new Ended());
    }
    if (line.startsWith("error ")) {
      return Optional.of(new Failed(line.substring("error ".length()).strip()));
    }
    Matcher space = Patterns.SPACE.matcher(line);
    if (space.matches()) {
      return Optional.of(
          new Space(Integer.parseInt(space.group(1)), Integer.parseInt(space.group(2))));
    }
    Matcher died = Patterns.DIED.matcher(line);
    if (died.matches()) {
      return Optional.of(
          new Died(
              Integer.parseInt(died.group(1)), died.group(2), Integer.parseInt(died.group(3))));
    }
    return Optional.empty();
  }

  /** Nine digits at most, so that no number overflows. */
  final class Patterns {
    private static final Pattern SPACE = Pattern.compile("space (\\d{1,2}) ([1-9]\\d{0,8})");
    private static final Pattern DIED = Pattern.compile("died (\\d{1,2}) (exit|signal) (\\d{1,9})");

    private Patterns() {}
  }
}
