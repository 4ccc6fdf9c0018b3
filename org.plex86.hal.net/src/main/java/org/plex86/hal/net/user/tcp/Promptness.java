// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

/**
 * Whether a connection's peer is worth a look ({@link PromptPeers}): it has answered promptly, and
 * looks at it were not in vain of late. After a look in vain the next one is tried more and more
 * seldom. Times are those of {@link System#nanoTime}.
 */
final class Promptness {
  private static final int SKIPPED_MAX = 256;

  private boolean asked;
  private long askedAt;
  private boolean promising;
  private int skip;
  private int skipAfterMiss = 1;

  private boolean watched;
  private boolean good; // something was found since it was begun
  private boolean found; // and the guest has not asked again
  private long until;

  /** The guest's bytes went to the host. */
  void asked(long now) {
    asked = true;
    askedAt = now;
    if (watched && found) {
      found = false;
      until = now + PromptPeers.LOOK_NANOS;
    }
  }

  /** The host's socket, which was waited for, has bytes. */
  void answered(long now) {
    if (asked && now - askedAt < PromptPeers.PROMPT_NANOS && --skip <= 0) {
      skip = 0;
      promising = true;
    }
    asked = false;
  }

  boolean isPromising() {
    return promising;
  }

  void watch(long now) {
    watched = true;
    good = false;
    found = true;
    until = now + PromptPeers.LOOK_NANOS;
  }

  boolean isWatched() {
    return watched;
  }

  /** A look has found bytes. */
  void found(long now) {
    good = true;
    found = true;
    until = now + PromptPeers.LOOK_NANOS;
  }

  boolean isOver(long now) {
    return now - until >= 0;
  }

  /** Ends the looking. */
  void unwatch() {
    watched = false;
    promising = false;
    if (good) {
      skipAfterMiss = 1;
    } else {
      skip = skipAfterMiss;
      skipAfterMiss = Math.min(SKIPPED_MAX, 2 * skipAfterMiss);
    }
  }
}
