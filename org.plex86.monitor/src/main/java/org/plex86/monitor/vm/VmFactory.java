// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ManagedServiceFactory;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;
import org.plex86.monitor.boot.BootException;
import org.plex86.monitor.boot.BootFiles;
import org.plex86.monitor.hal.DriverRegistry;
import org.plex86.monitor.nexus.NexusExecutable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a virtual machine of each configuration. See the package {@code org.plex86.monitor} for
 * what becomes of one that cannot work.
 */
@Component(
    // Config Admin gives the service back after each call, and machines must outlive that.
    immediate = true,
    service = ManagedServiceFactory.class,
    property = Constants.SERVICE_PID + "=" + VmProperties.PID)
public final class VmFactory implements ManagedServiceFactory, VmServices {
  private static final Logger LOG = LoggerFactory.getLogger(VmFactory.class);

  /** For all machines together, when the monitor goes. */
  private static final long END_SECONDS = 15;

  private static final long BALANCE_MILLIS = 500;

  /** While all machines are idle: a thread that wakes up then finds its caches cold. */
  private static final long IDLE_BALANCE_MILLIS = 10_000;

  private static final int REFUSED_RANKING = -1000;

  /** A machine, or what refuses to be one, and its service. */
  private record Entry(
      VirtualMachine vm,
      ServiceRegistration<VirtualMachine> registration,
      Map<String, Object> configuration) {}

  private final BundleContext context;
  private final DriverRegistry drivers;
  private final GuestImages images;
  private final Placement placement = new Placement(new HostCpus(Path.of("/proc")));
  private final ScheduledThreadPoolExecutor timers;
  private final Map<String, Entry> machines = new HashMap<>();

  /** Machines whose configuration is gone, and which are not over yet. */
  private final Set<VirtualMachine> ending = ConcurrentHashMap.newKeySet();

  private final FutureTask<Path> executable;

  /** Called by DS. */
  @Activate
  public VmFactory(BundleContext context, @Reference DriverRegistry drivers) {
    this.context = context;
    this.drivers = drivers;
    images = new GuestImages(context);
    timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "plex86 timers");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    timers.setRemoveOnCancelPolicy(true);
    balanceAfter(BALANCE_MILLIS);
    executable = new FutureTask<>(this::unpack);
    // The C library is bound and the nexus unpacked while the container starts other bundles.
    Thread preparation = new Thread(executable, "plex86 preparation");
    preparation.setDaemon(true);
    preparation.start();
  }

  private void balanceAfter(long millis) {
    ScheduledFuture<?> unused =
        timers.schedule(
            () -> balanceAfter(placement.balance() ? BALANCE_MILLIS : IDLE_BALANCE_MILLIS),
            millis,
            TimeUnit.MILLISECONDS);
  }

  private Path unpack() throws IOException {
    placement.prepare();
    // One directory for each content: an update of the bundle keeps its data files.
    String version = "nexus-" + context.getBundle().getLastModified();
    return NexusExecutable.unpack(context.getDataFile(version).toPath());
  }

  @Override
  public String getName() {
    return "plex86 virtual machines";
  }

  @Override
  public void updated(String pid, Dictionary<String, ?> properties) {
    Map<String, Object> values = new HashMap<>();
    for (var keys = properties.keys(); keys.hasMoreElements(); ) {
      String key = keys.nextElement();
      values.put(key, properties.get(key));
    }
    synchronized (machines) {
      Entry before = machines.get(pid);
      if (before != null && isSame(before.configuration(), values)) {
        return; // Config Admin may tell the same twice
      }
      if (before != null && isLive(before.vm())) {
        LOG.warn(
            "the new configuration of the virtual machine {} is ignored while it runs",
            before.vm().name());
        return;
      }
      take(pid);
      make(pid, values);
    }
  }

  @Override
  public void deleted(String pid) {
    Entry entry;
    synchronized (machines) {
      entry = take(pid);
    }
    if (entry != null && isLive(entry.vm())) {
      VirtualMachine vm = entry.vm();
      ending.add(vm);
      CompletionStage<Void> unused = vm.ended().thenRun(() -> ending.remove(vm));
      vm.kill();
    }
  }

  /** Called by DS: ends all machines, and waits for it. */
  @Deactivate
  public void deactivate() {
    List<Entry> all = new ArrayList<>();
    synchronized (machines) {
      for (String pid : List.copyOf(machines.keySet())) {
        all.add(take(pid));
      }
    }
    all.forEach(entry -> entry.vm().kill());
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    for (Entry entry : all) {
      awaitEnd(entry.vm(), end - System.nanoTime());
    }
    for (VirtualMachine vm : ending) {
      awaitEnd(vm, end - System.nanoTime());
    }
    awaitPreparation();
    timers.shutdownNow();
  }

  /**
   * The bundle's content may be taken away after the deactivation, and the preparation reads it.
   */
  private void awaitPreparation() {
    try {
      executable.get(END_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("the preparation did not come to its end", e); // a machine's start has told it
    }
  }

  private static void awaitEnd(VirtualMachine vm, long nanos) {
    try {
      vm.ended().toCompletableFuture().get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      LOG.warn("the virtual machine {} did not end within {} s", vm.name(), END_SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // it never completes so
    }
  }

  private void make(String pid, Map<String, Object> values) {
    VirtualMachine vm;
    boolean autostart = false;
    boolean refused = false;
    try {
      VmConfig config = VmConfig.parse(values);
      for (Entry entry : machines.values()) {
        if (entry.vm().name().equals(config.name()) && !(entry.vm() instanceof RefusedVm)) {
          throw new VmConfigException(
              "there is a virtual machine named '"
                  + config.name()
                  + "' already; take another name");
        }
      }
      vm = new VmImpl(config, this);
      autostart = config.autostart();
    } catch (VmConfigException e) {
      LOG.warn("{}", e.getMessage());
      vm = new RefusedVm(String.valueOf(values.get(VmProperties.NAME)), e.getMessage());
      refused = true;
    }
    Map<String, Object> properties = new HashMap<>();
    properties.put(VmProperties.SERVICE_NAME, vm.name());
    properties.put(Constants.SERVICE_PID, pid);
    if (refused) {
      properties.put(Constants.SERVICE_RANKING, REFUSED_RANKING);
    }
    machines.put(
        pid,
        new Entry(
            vm,
            context.registerService(
                VirtualMachine.class, vm, FrameworkUtil.asDictionary(properties)),
            values));
    if (autostart) {
      vm.start();
    }
  }

  private Entry take(String pid) {
    Entry entry = machines.remove(pid);
    if (entry != null) {
      entry.registration().unregister();
    }
    return entry;
  }

  private static boolean isSame(Map<String, Object> before, Map<String, Object> after) {
    return before.keySet().equals(after.keySet())
        && before.keySet().stream()
            .allMatch(key -> Objects.deepEquals(before.get(key), after.get(key)));
  }

  private static boolean isLive(VirtualMachine vm) {
    return vm.state() != VmState.CREATED && vm.state() != VmState.ENDED;
  }

  // ---- VmServices ----

  @Override
  public Path executable() throws IOException {
    try {
      return executable.get();
    } catch (ExecutionException e) {
      throw new IOException("cannot unpack the nexus: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
  }

  @Override
  public BootFiles bootFiles(VmConfig config) throws BootException {
    return images.files(config);
  }

  @Override
  public DriverRegistry drivers() {
    return drivers;
  }

  @Override
  public Placement placement() {
    return placement;
  }

  @Override
  public void later(Duration delay, Runnable task) {
    ScheduledFuture<?> unused = timers.schedule(task, delay.toMillis(), TimeUnit.MILLISECONDS);
  }
}
