// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.boot.BootException;
import org.plex86.monitor.boot.BootFiles;
import org.plex86.monitor.boot.BootLoader;
import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.control.Exit;
import org.plex86.monitor.cpu.ExitDispatcher;
import org.plex86.monitor.memory.HostMemory;
import org.plex86.monitor.nexus.NexusEnd;
import org.plex86.monitor.nexus.NexusProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a virtual machine, on a thread of its own: makes the machine, loads the guest,
 * answers its exits, and takes everything down again, whatever happened.
 */
final class VmRun {
  /** The supervisor forks and measures the TSC for some ms; a crowded host may take its time. */
  private static final long READY_SECONDS = 30;

  /** How long the supervisor may take to end its processes before it is killed itself. */
  private static final long ORDERLY_END_SECONDS = 2;

  private static final long LAST_END_SECONDS = 10;

  private final VmConfig config;
  private final VmServices services;
  private final VmImpl vm;
  private final Logger log;
  private int endReason;
  private String endText = "";

  VmRun(VmConfig config, VmServices services, VmImpl vm) {
    this.config = config;
    this.services = services;
    this.vm = vm;
    log = LoggerFactory.getLogger("org.plex86.vm." + config.name());
  }

  /** What the guest said of its end; any number. */
  int endReason() {
    return endReason;
  }

  /** What the guest said of its end; one line of printable ASCII. */
  String endText() {
    return endText;
  }

  /**
   * Lives.
   *
   * @return how the processes ended; they are gone, and everything is given back
   * @throws BootException the guest could not be loaded or started
   * @throws HalException a channel could not be opened
   */
  NexusEnd live() throws BootException, HalException, IOException {
    requireMemory();
    BootFiles files = services.bootFiles(config);
    try (Machine machine = new Machine(config, config.channels().size())) {
      FutureTask<Loaded> loading = startLoading(machine, files);
      Channels channels = new Channels(config.channels(), machine, vm, services.drivers());
      EarlyConsole early = new EarlyConsole(machine.control(), channels::earlyOutput);
      vm.publish(machine, channels);
      NexusEnd end;
      try {
        channels.open();
        boot(machine, loading);
        serve(machine.control(), machine.nexus(), channels, early);
      } finally {
        end = end(machine, loading);
        services.placement().remove(machine);
        early.drain();
        endReason = machine.control().endReason();
        endText = machine.control().endText();
        // Serves what the guest has left in its queues: a result may be in there.
        channels.close();
        vm.retire();
      }
      return end;
    }
  }

  private void requireMemory() throws BootException {
    long available = new HostMemory().available();
    if (available < config.memory()) {
      throw new BootException(
          "the host has "
              + (available >> 20)
              + "M of memory to spare, the machine is to have "
              + (config.memory() >> 20)
              + "M; give it less or free some");
    }
  }

  /** What is had from files. */
  private record Loaded(BootLoader.Start start, Path nexus) {}

  /** Files are read while channels are opened. */
  private FutureTask<Loaded> startLoading(Machine machine, BootFiles files) {
    String commandLine = CommandLine.of(config.channels().size(), config.append());
    FutureTask<Loaded> loading =
        new FutureTask<>(
            () ->
                new Loaded(
                    BootLoader.load(files, commandLine, machine.ram()), services.executable()));
    Thread loader = new Thread(loading, "plex86 load " + config.name());
    loader.setDaemon(true);
    loader.start();
    return loading;
  }

  private void boot(Machine machine, Future<Loaded> loading) throws BootException, IOException {
    Loaded loaded;
    try {
      loaded = await(loading, Long.MAX_VALUE);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BootException boot) {
        throw boot;
      }
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IllegalStateException("loading the guest", e.getCause());
    }
    machine.spawn(loaded.nexus());
    if (machine.nexus() == null) {
      throw new BootException("killed before it was started");
    }
    try {
      await(machine.nexus().ready(), READY_SECONDS);
    } catch (ExecutionException e) {
      throw new BootException(e.getCause().getMessage(), e);
    }
    vm.go(loaded.start());
    log.debug("started, entry 0x{}", Integer.toHexString(loaded.start().entry()));
    services.placement().add(machine, config.pin());
  }

  /** Until the processes are gone. The bell rings for exits, early output, and their end. */
  private void serve(
      ControlMemory control, NexusProcess nexus, Channels channels, EarlyConsole early) {
    ExitDispatcher exits = new ExitDispatcher(channels.registers(), log::warn);
    while (!nexus.ended().isDone()) {
      int seen = control.bell();
      early.drain();
      Exit exit = control.exit();
      if (exit != null) {
        ExitDispatcher.Answer answer = exits.answer(exit);
        control.answer(answer.value(), answer.fault());
      } else if (!nexus.ended().isDone()) {
        control.awaitBell(seen);
      }
    }
  }

  /** Ends the processes if they live, first by asking the supervisor; none are started any more. */
  private NexusEnd end(Machine machine, FutureTask<Loaded> loading) throws IOException {
    machine.kill();
    try {
      await(loading, Long.MAX_VALUE);
    } catch (ExecutionException e) {
      log.debug("the guest was not loaded", e); // told by boot(), or nobody asked any more
    }
    NexusProcess nexus = machine.nexus();
    if (nexus == null) {
      return new NexusEnd(false, "");
    }
    try {
      try {
        return await(nexus.ended(), ORDERLY_END_SECONDS);
      } catch (InterruptedIOException e) {
        log.warn("the nexus supervisor does not end; killing it");
        nexus.killHard();
        return await(nexus.ended(), LAST_END_SECONDS);
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // it is never completed so
    }
  }

  /** Nobody interrupts this thread but by mistake; that, too, is the end of the machine. */
  private static <T> T await(Future<T> future, long seconds)
      throws ExecutionException, InterruptedIOException {
    try {
      return future.get(seconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new InterruptedIOException("the nexus did not answer within " + seconds + " s");
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
  }
}
