// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * The user's wish for the driver of a certain bundle: from when it is asked for until the slot has
 * that driver, or cannot have it and keeps to the wish before. For the slot's thread.
 */
final class SwapRequest {
  private final DriverChoice choice;
  private final String before;
  private final DriverService wished;

  /** Completed with why it is refused; empty if the driver serves. */
  private final CompletableFuture<String> outcome;

  private SwapRequest(
      DriverChoice choice, String before, DriverService wished, CompletableFuture<String> outcome) {
    this.choice = choice;
    this.before = before;
    this.wished = wished;
    this.outcome = outcome;
  }

  /**
   * Has the choice prefer a bundle.
   *
   * @param bundle {@code symbolic.name} or {@code symbolic.name:version}
   * @return null if it cannot be; then the outcome is known already
   */
  static SwapRequest begin(DriverChoice choice, String bundle, CompletableFuture<String> outcome) {
    if (choice.isEnding() || choice.isHeldByUser()) {
      outcome.complete(
          choice.isEnding()
              ? "the virtual machine ends"
              : "the channel is parked: hal:unpark it first");
      return null;
    }
    List<DriverService> offered = choice.candidates();
    DriverService wished =
        offered.stream().filter(driver -> driver.isOf(bundle)).findFirst().orElse(null);
    if (wished == null) {
      outcome.complete(
          "bundle '%s' offers no driver for it; those that do: %s"
              .formatted(
                  bundle,
                  offered.isEmpty()
                      ? "none"
                      : offered.stream()
                          .map(driver -> driver.bundle() + ":" + driver.version())
                          .collect(Collectors.joining(", "))));
      return null;
    }
    String before = choice.preferred();
    choice.blocks().forget(wished);
    choice.prefer(bundle);
    return new SwapRequest(choice, before, wished, outcome);
  }

  /** The slot is bound, or is parked (null). */
  void settled(DriverStack bound) {
    if (bound != null && bound.driver().id() == wished.id()) {
      outcome.complete("");
      return;
    }
    String reason = choice.blocks().reason(wished);
    choice.prefer(before);
    outcome.complete(reason.isEmpty() ? wished.label() + " has gone" : reason);
  }

  /** Another wish has come. */
  void overtaken() {
    outcome.complete("another hal:swap came in between");
  }
}
