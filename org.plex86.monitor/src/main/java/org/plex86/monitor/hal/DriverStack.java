// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What serves a channel: a driver, and the interposers between it and the guest.
 *
 * @param above the interposers, the one next to the guest first
 * @param driver the driver
 */
record DriverStack(List<InterposerService> above, DriverService driver) {
  /** A driver alone. */
  static DriverStack of(DriverService driver) {
    return new DriverStack(List.of(), driver);
  }

  /** All services, the one next to the guest first. */
  List<HalService> services() {
    List<HalService> all = new ArrayList<>(above);
    all.add(driver);
    return all;
  }

  /** Whether it consists of the same services, whatever their properties are now. */
  boolean isSameAs(DriverStack other) {
    return ids().equals(other.ids());
  }

  /** Whether a service is part of it. */
  boolean contains(HalService service) {
    return ids().contains(service.id());
  }

  private List<Long> ids() {
    return services().stream().map(HalService::id).toList();
  }

  /** Whether it only stands in for a driver that is not there. */
  boolean standsIn() {
    return driver.driver() instanceof ErrorDriver;
  }

  /** For people: the driver, and what it is behind. */
  String label() {
    return above.isEmpty()
        ? driver.label()
        : driver.label()
            + above.stream()
                .map(InterposerService::label)
                .collect(Collectors.joining(", ", " behind ", ""));
  }
}
