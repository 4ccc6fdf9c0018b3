// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.plex86.hal.api.ChannelDriver;

/**
 * Knows which drivers there are and tells the slots when one comes or goes. Any thread.
 *
 * <p>A driver that goes is still usable until {@link #removeDriver} has returned, which waits
 * (within the slots' patience) until no slot uses it: so its bundle stops with its channels closed.
 */
@Component(service = DriverRegistry.class)
public final class DriverRegistry {
  private static final Comparator<DriverService> BEST_FIRST =
      Comparator.comparingInt(DriverService::ranking)
          .reversed()
          .thenComparingLong(DriverService::id);

  private final List<DriverService> drivers = new CopyOnWriteArrayList<>();
  private final Set<ChannelSlot> slots = ConcurrentHashMap.newKeySet();

  @Reference(
      service = ChannelDriver.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY,
      updated = "updatedDriver")
  void addDriver(ServiceReference<ChannelDriver> reference, ChannelDriver driver) {
    if (reference.getProperty(ChannelDriver.TYPE) instanceof String type) {
      add(describe(reference, driver, type));
    }
  }

  /** Properties of a service have changed; its ranking perhaps. */
  void updatedDriver(ServiceReference<ChannelDriver> reference, ChannelDriver driver) {
    DriverService before = find(reference);
    if (reference.getProperty(ChannelDriver.TYPE) instanceof String type) {
      DriverService after = describe(reference, driver, type);
      if (!after.equals(before)) {
        // added first: slots go from one to the other without being parked in between
        add(after);
        remove(before);
      }
    } else {
      remove(before);
    }
  }

  void removeDriver(ServiceReference<ChannelDriver> reference) {
    remove(find(reference));
  }

  private DriverService find(ServiceReference<ChannelDriver> reference) {
    long id = (Long) reference.getProperty(Constants.SERVICE_ID);
    return drivers.stream().filter(d -> d.id() == id).findFirst().orElse(null);
  }

  private static DriverService describe(
      ServiceReference<ChannelDriver> reference, ChannelDriver driver, String type) {
    // a ranking of another type than Integer counts as 0 (OSGi Core, Constants.SERVICE_RANKING)
    int ranking =
        reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer given ? given : 0;
    long id = (Long) reference.getProperty(Constants.SERVICE_ID);
    var bundle = reference.getBundle(); // null once unregistered
    return new DriverService(
        driver,
        type,
        ranking,
        id,
        bundle == null ? "unknown" : bundle.getSymbolicName(),
        bundle == null ? Version.emptyVersion : bundle.getVersion());
  }

  void add(DriverService driver) {
    drivers.add(driver);
    slots.forEach(ChannelSlot::driversChanged);
  }

  void remove(DriverService driver) {
    if (driver == null) {
      return;
    }
    drivers.remove(driver);
    List<ChannelSlot> affected = new ArrayList<>(slots);
    affected.forEach(ChannelSlot::driversChanged); // all at once, then wait for each
    affected.forEach(slot -> slot.awaitRelease(driver));
  }

  void attach(ChannelSlot slot) {
    slots.add(slot);
  }

  void detach(ChannelSlot slot) {
    slots.remove(slot);
  }

  /**
   * The drivers for a channel, the best first: by ranking, then the one that came first, as OSGi
   * orders services; but of one bundle's versions with equal ranking the newest, so that a new
   * version that is installed beside an old one takes over at once.
   */
  List<DriverService> candidates(ChannelSpec spec) {
    List<DriverService> ordered = new ArrayList<>();
    for (DriverService driver :
        drivers.stream().filter(d -> d.suits(spec)).sorted(BEST_FIRST).toList()) {
      int at = ordered.size();
      for (int i = 0; i < ordered.size(); i++) {
        if (supersedes(driver, ordered.get(i))) {
          at = i;
          break;
        }
      }
      ordered.add(at, driver);
    }
    return ordered;
  }

  private static boolean supersedes(DriverService later, DriverService earlier) {
    return later.ranking() == earlier.ranking()
        && later.bundle().equals(earlier.bundle())
        && later.version().compareTo(earlier.version()) > 0;
  }
}
