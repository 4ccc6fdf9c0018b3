// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.ChannelInterposer;

/**
 * Knows which drivers there are and tells the slots when one comes or goes. Any thread.
 *
 * <p>A driver that goes is still usable until {@link #removeDriver} has returned, which waits
 * (within the slots' patience) until no slot uses it: so its bundle stops with its channels closed,
 * but for those that may go on for a moment ({@link ChannelDriver#LINGERS}).
 */
@Component(service = DriverRegistry.class)
public final class DriverRegistry {
  private static final Comparator<DriverService> BEST_FIRST =
      Comparator.comparingInt(DriverService::ranking)
          .reversed()
          .thenComparingLong(DriverService::id);

  private static final Comparator<InterposerService> NEXT_TO_GUEST_FIRST =
      Comparator.comparingInt(InterposerService::ranking)
          .reversed()
          .thenComparingLong(InterposerService::id);

  private final List<DriverService> drivers = new CopyOnWriteArrayList<>();
  private final List<InterposerService> interposers = new CopyOnWriteArrayList<>();
  private final Set<ChannelSlot> slots = ConcurrentHashMap.newKeySet();

  @Reference(
      service = ChannelDriver.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY,
      updated = "updatedDriver")
  void addDriver(ServiceReference<ChannelDriver> reference, ChannelDriver driver) {
    if (reference.getProperty(ChannelDriver.TYPE) instanceof String type) {
      preload(reference, type);
      add(describe(reference, driver, type));
    }
  }

  /** Only while the guest is served by another driver: else it waits for this one. */
  private void preload(ServiceReference<ChannelDriver> reference, String type) {
    Bundle bundle = reference.getBundle();
    if (bundle != null && slots.stream().anyMatch(slot -> slot.serves(type))) {
      Preloading.of(bundle);
    }
  }

  /** Properties of a service have changed; its ranking perhaps. */
  void updatedDriver(ServiceReference<ChannelDriver> reference, ChannelDriver driver) {
    DriverService before = find(reference);
    if (reference.getProperty(ChannelDriver.TYPE) instanceof String type) {
      DriverService after = describe(reference, driver, type);
      if (!after.equals(before)) {
        drivers.add(after);
        drivers.remove(before); // null where its properties made no driver of it
        slots.forEach(ChannelSlot::driversChanged);
      }
    } else {
      remove(before);
    }
  }

  void removeDriver(ServiceReference<ChannelDriver> reference) {
    DriverService driver = find(reference);
    Bundle bundle = reference.getBundle();
    if (driver != null && driver.lingers() && bundle != null && isUsed(driver)) {
      Preloading.of(bundle); // once the bundle was updated, what is not loaded cannot be any more
    }
    remove(driver);
  }

  private boolean isUsed(DriverService driver) {
    return slots.stream().anyMatch(slot -> slot.uses(driver));
  }

  @Reference(
      service = ChannelInterposer.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY,
      updated = "updatedInterposer")
  void addInterposer(ServiceReference<ChannelInterposer> reference, ChannelInterposer interposer) {
    add(describe(reference, interposer));
  }

  /** Properties of an interposer have changed. */
  void updatedInterposer(
      ServiceReference<ChannelInterposer> reference, ChannelInterposer interposer) {
    InterposerService after = describe(reference, interposer);
    List<InterposerService> before =
        interposers.stream().filter(some -> some.id() == after.id()).toList();
    if (!before.contains(after)) {
      interposers.removeAll(before);
      add(after);
    }
  }

  void removeInterposer(ServiceReference<ChannelInterposer> reference) {
    long id = (Long) reference.getProperty(Constants.SERVICE_ID);
    interposers.stream().filter(some -> some.id() == id).toList().forEach(this::remove);
  }

  private static InterposerService describe(
      ServiceReference<ChannelInterposer> reference, ChannelInterposer interposer) {
    return new InterposerService(
        interposer,
        texts(reference.getProperty(ChannelDriver.TYPE)),
        texts(reference.getProperty(ChannelInterposer.VM)),
        texts(reference.getProperty(ChannelInterposer.CHANNEL)),
        ranking(reference),
        (Long) reference.getProperty(Constants.SERVICE_ID),
        bundle(reference),
        version(reference));
  }

  /** A property of one or several texts (OSGi Compendium, String+). */
  private static Set<String> texts(Object property) {
    if (property instanceof String one) {
      return Set.of(one);
    }
    if (property instanceof String[] several) {
      return Set.copyOf(List.of(several));
    }
    return property instanceof Collection<?> all
        ? all.stream().map(String::valueOf).collect(Collectors.toSet())
        : Set.of();
  }

  // a ranking of another type than Integer counts as 0 (OSGi Core, Constants.SERVICE_RANKING)
  private static int ranking(ServiceReference<?> reference) {
    return reference.getProperty(Constants.SERVICE_RANKING) instanceof Integer given ? given : 0;
  }

  private static String bundle(ServiceReference<?> reference) {
    Bundle bundle = reference.getBundle(); // null once unregistered
    return bundle == null ? "unknown" : bundle.getSymbolicName();
  }

  private static Version version(ServiceReference<?> reference) {
    Bundle bundle = reference.getBundle();
    return bundle == null ? Version.emptyVersion : bundle.getVersion();
  }

  private DriverService find(ServiceReference<ChannelDriver> reference) {
    long id = (Long) reference.getProperty(Constants.SERVICE_ID);
    return drivers.stream().filter(d -> d.id() == id).findFirst().orElse(null);
  }

  private static DriverService describe(
      ServiceReference<ChannelDriver> reference, ChannelDriver driver, String type) {
    return new DriverService(
        driver,
        type,
        ranking(reference),
        (Long) reference.getProperty(Constants.SERVICE_ID),
        bundle(reference),
        version(reference),
        Boolean.TRUE.equals(reference.getProperty(ChannelDriver.LINGERS)));
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
    released(driver);
  }

  void add(InterposerService interposer) {
    interposers.add(interposer);
    slots.forEach(ChannelSlot::driversChanged);
  }

  void remove(InterposerService interposer) {
    interposers.remove(interposer);
    released(interposer);
  }

  /** Waits until no slot depends on a service that is not offered any more. */
  private void released(HalService service) {
    List<ChannelSlot> affected = new ArrayList<>(slots);
    affected.forEach(ChannelSlot::driversChanged); // all at once, then wait for each
    affected.forEach(slot -> slot.awaitRelease(service));
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

  /** The interposers for a channel, the one next to the guest first. */
  List<InterposerService> interposers(String vm, ChannelSpec spec) {
    return interposers.stream()
        .filter(some -> some.suits(vm, spec))
        .sorted(NEXT_TO_GUEST_FIRST)
        .toList();
  }

  private static boolean supersedes(DriverService later, DriverService earlier) {
    return later.ranking() == earlier.ranking()
        && later.bundle().equals(earlier.bundle())
        && later.version().compareTo(earlier.version()) > 0;
  }
}
