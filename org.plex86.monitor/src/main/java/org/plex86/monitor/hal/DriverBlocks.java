// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Which drivers a slot does not bind at present, and why: those that were refused, failed to open,
 * or crashed. Times are of {@link System#nanoTime}. For the slot's thread.
 */
final class DriverBlocks {
  /** What follows the first, second, … crash within {@link #MEMORY}; then no more trials. */
  private static final long[] CRASH_PAUSES = {
    Duration.ofMillis(10).toNanos(),
    Duration.ofMillis(100).toNanos(),
    Duration.ofSeconds(1).toNanos(),
    Duration.ofSeconds(10).toNanos()
  };

  private static final long OPEN_PAUSE = Duration.ofSeconds(1).toNanos();
  private static final long MEMORY = Duration.ofSeconds(60).toNanos();

  private static final class Block {
    String reason = "";
    boolean blocked;
    boolean retries;
    long retryAt;
    int crashes;
    long lastCrash;
  }

  private final Map<Long, Block> blocks = new HashMap<>();

  /** The guest cannot go on with it: not tried again until {@link #clear}. */
  void refuse(HalService driver, String reason) {
    Block block = block(driver, reason);
    block.retries = false;
  }

  /** It could not open the channel: tried again while there is no other. */
  void failedToOpen(HalService driver, String reason, long now) {
    Block block = block(driver, reason);
    block.retries = true;
    block.retryAt = now + OPEN_PAUSE;
  }

  /** It crashed: tried again after a while, up to a few times, while there is no other. */
  void crashed(HalService driver, String reason, long now) {
    Block block = block(driver, reason);
    if (block.crashes > 0 && now - block.lastCrash > MEMORY) {
      block.crashes = 0;
    }
    block.lastCrash = now;
    block.retries = block.crashes < CRASH_PAUSES.length;
    if (block.retries) {
      block.retryAt = now + CRASH_PAUSES[block.crashes++];
    }
  }

  private Block block(HalService driver, String reason) {
    Block block = blocks.computeIfAbsent(driver.id(), id -> new Block());
    block.reason = reason;
    block.blocked = true;
    return block;
  }

  boolean isBlocked(HalService driver) {
    Block block = blocks.get(driver.id());
    return block != null && block.blocked;
  }

  /** Why a driver is blocked; empty if it is not. */
  String reason(HalService driver) {
    Block block = blocks.get(driver.id());
    return block == null || !block.blocked ? "" : block.reason;
  }

  /** Unblocks the drivers whose pause is over. */
  void unblockDue(long now) {
    for (Block block : blocks.values()) {
      if (block.blocked && block.retries && block.retryAt - now <= 0) {
        block.blocked = false;
      }
    }
  }

  /** How long until {@link #unblockDue} will unblock one of them; Long.MAX_VALUE: never. */
  long untilDue(long now) {
    long least = Long.MAX_VALUE;
    for (Block block : blocks.values()) {
      if (block.blocked && block.retries) {
        least = Math.min(least, Math.max(0, block.retryAt - now));
      }
    }
    return least;
  }

  /** Gives one another chance. */
  void forget(HalService driver) {
    blocks.remove(driver.id());
  }

  /** Unblocks all, and forgets about crashes: what they clashed with may be gone. */
  void clear() {
    blocks.clear();
  }

  /** Unblocks those that were refused or failed to open; crashes are remembered. */
  void clearRefusals() {
    blocks.values().removeIf(block -> block.crashes == 0);
  }

  /** Forgets drivers that are gone. */
  void retain(Iterable<? extends HalService> present) {
    Map<Long, Block> kept = new HashMap<>();
    for (HalService driver : present) {
      Block block = blocks.get(driver.id());
      if (block != null) {
        kept.put(driver.id(), block);
      }
    }
    blocks.clear();
    blocks.putAll(kept);
  }
}
