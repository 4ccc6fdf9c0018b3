// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
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
  private final String vmName;
  private final DriverBlocks blocks = new DriverBlocks();

  /** The bundle whose driver the user has asked for; empty: none. */
  private String preferred = "";

  private boolean heldByUser;
  private boolean parked;
  private long parkedAt; // of System.nanoTime
  private boolean failing;

  /** No driver is wanted any more. Set by any thread. */
  private volatile boolean ending;

  DriverChoice(String vmName, ChannelSpec spec, DriverRegistry registry) {
    this.vmName = vmName;
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

  boolean isHeldByUser() {
    return heldByUser;
  }

  /** The bundle that is preferred; empty: none. */
  String preferred() {
    return preferred;
  }

  /**
   * Drivers of a bundle come before all others from now on, whatever their ranking; the others stay
   * what is used where that bundle has none that works.
   *
   * @param bundle {@code symbolic.name} or {@code symbolic.name:version}; empty: none
   */
  void prefer(String bundle) {
    preferred = bundle;
  }

  /** Follows the slot's state, for the policy of a slot without driver. */
  void entered(SlotState state, long now) {
    parked = state == SlotState.PARKED;
    parkedAt = now;
    failing = state == SlotState.FAILING;
  }

  /** Drivers have come, gone or changed. */
  void driversChanged() {
    List<HalService> present = new ArrayList<>(candidates());
    present.addAll(registry.interposers(vmName, spec));
    blocks.retain(present);
  }

  /**
   * What the slot ought to have: the best driver that is not blocked, behind the interposers that
   * are not; null: nothing.
   *
   * @param known what the guest knows of the device; null: nothing
   */
  DriverStack wanted(DeviceProfile known, long now) {
    if (ending) {
      return null;
    }
    if (!heldByUser) {
      for (DriverService driver : candidates()) {
        if (!blocks.isBlocked(driver)) {
          return new DriverStack(interposers(), driver);
        }
      }
    }
    return failing || untilErrors(now) == 0
        ? DriverStack.of(ErrorDriver.service(known, spec.type()))
        : null;
  }

  /** Whether a stack whose driver has gone may serve on for a moment. */
  boolean mayLinger(DriverStack stack) {
    return stack.driver().lingers()
        && !ending
        && !heldByUser
        && !candidates().contains(stack.driver())
        && registry.interposers(vmName, spec).containsAll(stack.above());
  }

  private List<InterposerService> interposers() {
    return registry.interposers(vmName, spec).stream()
        .filter(some -> !blocks.isBlocked(some))
        .toList();
  }

  /** Whether nothing of a stack that was wanted has gone since. */
  boolean isOffered(DriverStack stack) {
    return stack.standsIn()
        || (candidates().contains(stack.driver())
            && registry.interposers(vmName, spec).containsAll(stack.above()));
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

  /** The drivers for the channel, those of the preferred bundle first, then the best first. */
  List<DriverService> candidates() {
    List<DriverService> all = registry.candidates(spec);
    if (preferred.isEmpty()) {
      return all;
    }
    List<DriverService> ordered = new ArrayList<>(all.stream().filter(this::isPreferred).toList());
    all.stream().filter(driver -> !isPreferred(driver)).forEach(ordered::add);
    return ordered;
  }

  private boolean isPreferred(DriverService driver) {
    return driver.isOf(preferred);
  }
}
