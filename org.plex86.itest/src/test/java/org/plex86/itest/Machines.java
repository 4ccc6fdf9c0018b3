// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.util.tracker.ServiceTracker;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** Real machines for a test, made as a user of the container makes them: by Config Admin. */
final class Machines implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final BundleContext context = FrameworkUtil.getBundle(Machines.class).getBundleContext();
  private final List<Configuration> configurations = new ArrayList<>();

  /** A machine that is not started yet; its service is there when this returns. */
  VirtualMachine create(String name, Map<String, Object> properties) {
    Dictionary<String, Object> dictionary = new Hashtable<>(properties);
    dictionary.put(VmProperties.NAME, name);
    try {
      Configuration configuration =
          context
              .getService(context.getServiceReference(ConfigurationAdmin.class))
              .createFactoryConfiguration(VmProperties.PID, "?");
      configurations.add(configuration);
      configuration.update(dictionary);
      return await(configuration.getPid());
    } catch (IOException | InvalidSyntaxException | InterruptedException e) {
      throw new AssertionError("cannot make the machine " + name, e);
    }
  }

  /**
   * A machine that is started, to run a command and to end with its status.
   *
   * @param memory in bytes
   * @param append for the kernel's command line, beside what a command needs
   * @param channels beside the console
   */
  VirtualMachine exec(String name, long memory, String append, String command, String... channels) {
    List<String> all = new ArrayList<>();
    all.add("type=console,quiet=on,exec=" + command.replace("\\", "\\\\").replace(",", "\\,"));
    all.addAll(List.of(channels));
    return start(
        name,
        Map.of(
            VmProperties.MEMORY,
            memory,
            VmProperties.APPEND,
            ("quiet plex86.exec " + append).strip(),
            VmProperties.CHANNELS,
            all.toArray(String[]::new)));
  }

  /** A machine that is started. */
  VirtualMachine start(String name, Map<String, Object> properties) {
    VirtualMachine machine = create(name, properties);
    machine.start();
    return machine;
  }

  /** How the machine ended; fails if it has not within the time. */
  static VmEnd end(VirtualMachine machine, Duration within) {
    try {
      return machine.ended().toCompletableFuture().get(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(machine.name() + " has not ended, it is " + machine.state(), e);
    }
  }

  /** Waits until a driver serves each of a machine's channels. */
  static void awaitChannels(VirtualMachine machine, int count, Duration within)
      throws InterruptedException {
    long end = System.nanoTime() + within.toNanos();
    while (machine.channels().size() < count
        || !machine.channels().stream().allMatch(channel -> channel.state().equals("BOUND"))) {
      assertThat(machine.state()).isNotEqualTo(VmState.ENDED);
      assertThat(System.nanoTime()).as("%s starts", machine.name()).isLessThan(end);
      Thread.sleep(5);
    }
  }

  private VirtualMachine await(String pid) throws InvalidSyntaxException, InterruptedException {
    ServiceTracker<VirtualMachine, VirtualMachine> tracker =
        new ServiceTracker<>(
            context,
            context.createFilter(
                "(&(objectClass=" + VirtualMachine.class.getName() + ")(service.pid=" + pid + "))"),
            null);
    tracker.open();
    try {
      VirtualMachine machine = tracker.waitForService(PATIENCE.toMillis());
      assertThat(machine).as("service of the configuration %s", pid).isNotNull();
      return machine;
    } finally {
      tracker.close();
    }
  }

  @Override
  public void close() throws IOException {
    for (Configuration configuration : configurations) {
      configuration.delete();
    }
    configurations.clear();
  }
}
