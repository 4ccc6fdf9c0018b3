// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.util.tracker.ServiceTracker;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Makes the virtual machine of a {@link RunRequest}, starts it, and reports how it ended. */
@Component(
    immediate = true,
    service = {})
public final class RunSession {
  private final BundleContext context;
  private final BiConsumer<Integer, String> result;
  private final Map<String, Object> request;
  private final Configuration configuration;
  private final ServiceTracker<VirtualMachine, VirtualMachine> tracker;

  /** Makes and starts the virtual machine, unless a driver that it needs is missing. */
  @Activate
  public RunSession(
      BundleContext context,
      @Reference ConfigurationAdmin admin,
      @Reference(target = "(" + RunRequest.KIND + "=" + RunRequest.RUN + ")")
          BiConsumer<Integer, String> result,
      @Reference(
              target = "(" + RunRequest.KIND + "=" + RunRequest.RUN + ")",
              service = BiConsumer.class)
          Map<String, Object> request)
      throws IOException, InvalidSyntaxException, InterruptedException {
    // Loads what SLF4J needs for its first line: a machine that ends because the framework stops
    // logs
    // when classes can no longer be loaded.
    LoggerFactory.getLogger(RunSession.class).isEnabledForLevel(Level.ERROR);
    this.context = context;
    this.result = result;
    this.request = request;
    for (String type : list(RunRequest.TYPES)) {
      if (!hasDriver(type)) {
        result.accept(ExitStatus.NOT_STARTED, missing(type));
        configuration = null;
        tracker = null;
        return;
      }
    }
    configuration = admin.createFactoryConfiguration(VmProperties.PID, "?");
    tracker =
        new ServiceTracker<>(
            context,
            context.createFilter(
                "(&("
                    + Constants.OBJECTCLASS
                    + "="
                    + VirtualMachine.class.getName()
                    + ")("
                    + Constants.SERVICE_PID
                    + "="
                    + configuration.getPid()
                    + "))"),
            null) {
          @Override
          public VirtualMachine addingService(ServiceReference<VirtualMachine> reference) {
            VirtualMachine vm = super.addingService(reference);
            begin(vm);
            return vm;
          }
        };
    tracker.open();
    configuration.update(FrameworkUtil.asDictionary(map(RunRequest.CONFIGURATION)));
  }

  @Deactivate
  void deactivate() throws IOException {
    if (tracker != null) {
      tracker.close();
      configuration.delete();
    }
  }

  private void begin(VirtualMachine vm) {
    if (vm != null) {
      vm.ended().thenAccept(end -> finish(vm, end));
      try {
        vm.start();
      } catch (IllegalStateException e) {
        // a configuration that cannot work ends the machine before its start; ended() says why
        return;
      }
    }
  }

  private void finish(VirtualMachine vm, VmEnd end) {
    if (Boolean.TRUE.equals(request.get(RunRequest.VERBOSE))) {
      Map<String, Long> counters = vm.counters();
      String rest =
          counters.entrySet().stream()
              .filter(counter -> !counter.getKey().equals("boot_us"))
              .map(counter -> " " + counter.getKey() + "=" + counter.getValue())
              .collect(Collectors.joining());
      System.err.println(
          "plex86: boot: nexus-start-to-first-user-us="
              + counters.getOrDefault("boot_us", 0L)
              + rest);
    }
    Outcome outcome = Outcome.of(end, Boolean.TRUE.equals(request.get(RunRequest.EXEC)));
    result.accept(outcome.status(), outcome.message());
  }

  private boolean hasDriver(String type) throws InvalidSyntaxException, InterruptedException {
    ServiceTracker<ChannelDriver, ChannelDriver> drivers =
        new ServiceTracker<>(
            context,
            context.createFilter(
                "(&("
                    + Constants.OBJECTCLASS
                    + "="
                    + ChannelDriver.class.getName()
                    + ")("
                    + ChannelDriver.TYPE
                    + "="
                    + type
                    + "))"),
            null);
    drivers.open();
    try {
      // 0 would mean to wait for ever
      return drivers.waitForService(Math.max(1, (Long) request.get(RunRequest.PATIENCE))) != null;
    } finally {
      drivers.close();
    }
  }

  private static String missing(String type) {
    return "no bundle offers channels of type '"
        + type
        + "'; leave --"
        + type
        + " out, or give --bundles DIR with a bundle that does";
  }

  @SuppressWarnings("unchecked") // as documented in RunRequest, by the one who registers it
  private List<String> list(String key) {
    return (List<String>) request.get(key);
  }

  @SuppressWarnings("unchecked") // as documented in RunRequest, by the one who registers it
  private Map<String, Object> map(String key) {
    return (Map<String, Object>) request.get(key);
  }
}
