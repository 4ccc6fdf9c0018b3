// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import org.plex86.monitor.virtio.DeviceProfile;

/**
 * Which driver a slot ought to have: the best of the registry that is not blocked; where there is
 * none for longer than the policy allows, the one that answers errors. For the slot's thread, but
 * for {@link #prepareToEnd}.
 */
final class DriverChoice {
  private final ChannelSpec spec;
  private final DriverRegistry registry;
  private final DriverBlocks blocks = new DriverBlocks();
  private boolean heldByUser;
  private boolean parked;
  private long parkedAt; // of System.nanoTime
  private boolean failing;

  /** No driver is wanted any more. Set by any thread. */
  private volatile boolean ending;

  DriverChoice(ChannelSpec spec, DriverRegistry registry) {
    this.spec = spec;
    this.registry = registry;
  }

  /** Which drivers are blocked. */
  DriverBlocks blocks() {
    return blocks;
  }

  /** The virtual machine ends. Any thread. */
  void prepareToEnd() {
    ending = true;
  }

  boolean isEnding() {
    return ending;
  }

  /** Whether the user has taken the driver away. */
  void setHeldByUser(boolean held) {
    heldByUser = held;
    blocks.clear();
  }

  /** Follows the slot's state, for the policy of a slot without driver. */
  void entered(SlotState state, long now) {
    parked = state == SlotState.PARKED;
    parkedAt = now;
    failing = state == SlotState.FAILING;
  }

  /** Drivers have come, gone or changed. */
  void driversChanged() {
    blocks.retain(candidates());
  }

  /**
   * The driver that the slot ought to have; null: none.
   *
   * @param known what the guest knows of the device; null: nothing
   */
  DriverService wanted(DeviceProfile known, long now) {
    if (ending) {
      return null;
    }
    if (!heldByUser) {
      for (DriverService driver : candidates()) {
        if (!blocks.isBlocked(driver)) {
          return driver;
        }
      }
    }
    return failing || untilErrors(now) == 0 ? ErrorDriver.service(known, spec.type()) : null;
  }

  /** Whether a driver that was wanted has not gone since. */
  boolean isOffered(DriverService driver) {
    return driver.driver() instanceof ErrorDriver || candidates().contains(driver);
  }

  /** How long until {@link #wanted} may change by itself, in nanoseconds. */
  long untilDue(long now) {
    return Math.min(blocks.untilDue(now), untilErrors(now));
  }

  private long untilErrors(long now) {
    if (!parked || spec.park().errorsAfter().isEmpty() || ending) {
      return Long.MAX_VALUE;
    }
    return Math.max(0, spec.park().errorsAfter().get().toNanos() - (now - parkedAt));
  }

  /**
   * Why there is no driver, for people.
   *
   * @param refusal why the best one refused just now; empty if none did
   */
  String whyNone(String refusal) {
    if (ending) {
      return "the virtual machine ends";
    }
    if (heldByUser) {
      return "by the user";
    }
    if (!refusal.isEmpty()) {
      return refusal;
    }
    return candidates().stream()
        .findFirst()
        .map(best -> best.label() + ": " + blocks.reason(best))
        .orElse("there is no driver of type '" + spec.type() + "'");
  }

  private List<DriverService> candidates() {
    return registry.candidates(spec);
  }
}
