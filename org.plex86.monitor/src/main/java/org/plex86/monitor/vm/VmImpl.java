// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.ChannelEvent;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmState;
import org.plex86.monitor.boot.BootException;
import org.plex86.monitor.boot.BootLoader;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.hal.ChannelHost;
import org.plex86.monitor.hal.ChannelSlot;
import org.plex86.monitor.nexus.NexusEnd;
import org.plex86.monitor.nexus.NexusProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtual machine as others see it: its state, their wishes, its end. {@link VmRun} does the
 * work, on the machine's own thread.
 */
final class VmImpl implements VirtualMachine, ChannelHost {
  private static final Duration ORDERLY_END = Duration.ofSeconds(2);

  /** After a result was reported, the guest may power off by itself before it is asked to. */
  private static final Duration RESULT_GRACE = Duration.ofSeconds(1);

  private static final Duration RESULT_PATIENCE = Duration.ofSeconds(5);

  private final VmConfig config;
  private final VmServices services;
  private final Logger log;
  private final CompletableFuture<VmEnd> ended = new CompletableFuture<>();

  /** Guards the fields below. */
  private final Object lock = new Object();

  private VmState state = VmState.CREATED;
  private OptionalInt result = OptionalInt.empty();
  private String killed = "";
  private Machine machine;
  private Channels channels;
  private Map<String, Long> lastCounters = Map.of();
  private List<ChannelStatus> lastChannels = List.of();
  private Map<String, List<ChannelEvent>> lastHistories = Map.of();

  VmImpl(VmConfig config, VmServices services) {
    this.config = config;
    this.services = services;
    log = LoggerFactory.getLogger("org.plex86.vm." + config.name());
  }

  // ---- VirtualMachine ----

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public VmState state() {
    synchronized (lock) {
      return state;
    }
  }

  @Override
  public long memory() {
    return config.memory();
  }

  @Override
  public void start() {
    synchronized (lock) {
      if (state != VmState.CREATED) {
        throw new IllegalStateException(
            "virtual machine " + config.name() + " was started before; it is " + state);
      }
      state = VmState.RUNNING;
    }
    Thread thread = new Thread(this::run, "plex86 vm " + config.name());
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void pause() {
    synchronized (lock) {
      if (state == VmState.RUNNING) {
        state = VmState.PAUSED;
        signal(NexusProcess::stop);
      }
    }
  }

  @Override
  public void resume() {
    synchronized (lock) {
      if (state == VmState.PAUSED) {
        goOn(VmState.RUNNING);
      }
    }
  }

  private void goOn(VmState next) {
    state = next;
    lock.notifyAll();
    signal(NexusProcess::go);
  }

  @Override
  public void stop(Duration patience) {
    synchronized (lock) {
      if (state == VmState.CREATED) {
        kill("stopped before it was started");
        return;
      }
      if (state == VmState.ENDED) {
        return;
      }
      goOn(VmState.STOPPING);
      if (machine != null) {
        machine.interrupts().raise(ControlLayout.PLEX86_IRQ_POWER);
      }
    }
    String late = "did not power off within " + patience.toSeconds() + " s";
    services.later(patience, () -> kill(late));
  }

  @Override
  public void kill() {
    kill("killed");
  }

  private void kill(String why) {
    boolean never;
    synchronized (lock) {
      if (state == VmState.ENDED || !killed.isEmpty()) {
        return;
      }
      killed = why;
      lock.notifyAll();
      never = state == VmState.CREATED;
      if (never) {
        state = VmState.ENDED;
      } else if (machine != null) {
        end(machine);
      }
    }
    if (never) {
      ended.complete(new VmEnd(VmEnd.Reason.KILLED, OptionalInt.empty(), why));
    }
  }

  /** Asks the supervisor, and ends it when it does not listen: somebody may have stopped it. */
  private void end(Machine ending) {
    ending.kill();
    NexusProcess nexus = ending.nexus();
    if (nexus != null) {
      services.later(ORDERLY_END, nexus::killHard);
    }
  }

  /** Before the processes were started there is nothing to signal: see {@link #go}. */
  private void signal(Consumer<NexusProcess> signal) {
    NexusProcess nexus = machine == null ? null : machine.nexus();
    if (nexus != null) {
      signal.accept(nexus);
    }
  }

  @Override
  public CompletionStage<VmEnd> ended() {
    return ended.minimalCompletionStage();
  }

  @Override
  public Map<String, Long> counters() {
    synchronized (lock) {
      return machine == null ? lastCounters : machine.control().counters();
    }
  }

  @Override
  public List<ChannelStatus> channels() {
    synchronized (lock) {
      return channels == null ? lastChannels : channels.status();
    }
  }

  @Override
  public void swapChannel(String channel, String bundle) {
    try {
      slot(channel).swap(bundle);
    } catch (HalException e) {
      throw new IllegalStateException(
          "channel %s of %s keeps its driver: %s".formatted(channel, name(), e.getMessage()), e);
    }
  }

  @Override
  public void parkChannel(String channel) {
    slot(channel).park();
  }

  @Override
  public void unparkChannel(String channel) {
    slot(channel).unpark();
  }

  @Override
  public List<ChannelEvent> channelHistory(String channel) {
    synchronized (lock) {
      List<ChannelEvent> history =
          (channels == null ? lastHistories : channels.histories()).get(channel);
      if (history == null) {
        throw noSuchChannel(channel);
      }
      return history;
    }
  }

  private ChannelSlot slot(String channel) {
    synchronized (lock) {
      if (channels == null) {
        throw new IllegalStateException(
            "the virtual machine %s has no channels open: it is %s".formatted(name(), state));
      }
      ChannelSlot slot = channels.slot(channel);
      if (slot == null) {
        throw noSuchChannel(channel);
      }
      return slot;
    }
  }

  private IllegalArgumentException noSuchChannel(String channel) {
    return new IllegalArgumentException(
        "%s has no channel '%s'; it has: %s"
            .formatted(
                name(),
                channel,
                channels().stream().map(ChannelStatus::name).collect(Collectors.joining(", "))));
  }

  @Override
  public List<Integer> processes() {
    synchronized (lock) {
      return machine == null ? List.of() : machine.processes();
    }
  }

  // ---- ChannelHost ----

  @Override
  public String vmName() {
    return config.name();
  }

  @Override
  public void log(String channel, String line) {
    log.info("{}: {}", channel, line);
  }

  @Override
  public void reportError(String channel, String message, Throwable cause) {
    if (cause instanceof IOException) {
      // what the host says is a line for the user; where in a driver it was said is not
      log.warn("{}: {}: {}", channel, message, cause.getMessage());
      log.debug("{}: {}", channel, message, cause);
    } else {
      log.warn("{}: {}", channel, message, cause);
    }
  }

  @Override
  public void reportResult(String channel, int status) {
    synchronized (lock) {
      if (result.isPresent()) {
        return;
      }
      result = OptionalInt.of(status & 0xff);
    }
    log.debug("{}: result {}", channel, status);
    services.later(RESULT_GRACE, () -> stop(RESULT_PATIENCE));
  }

  // ---- the machine's thread ----

  private void run() {
    VmEnd end;
    try {
      VmRun run = new VmRun(config, services, this);
      NexusEnd nexusEnd = run.live();
      synchronized (lock) {
        end = EndDecision.of(nexusEnd, killed, run.endReason(), run.endText(), result);
      }
    } catch (BootException | HalException | IOException e) {
      end = new VmEnd(VmEnd.Reason.START_FAILED, OptionalInt.empty(), e.getMessage());
    } catch (RuntimeException | Error e) {
      // A defect of ours is the end of this machine, never that of others.
      log.error("defect in the monitor", e);
      end = new VmEnd(VmEnd.Reason.CRASH, OptionalInt.empty(), "defect in the monitor: " + e);
    }
    synchronized (lock) {
      if (!killed.isEmpty() && end.reason() == VmEnd.Reason.START_FAILED) {
        end = new VmEnd(VmEnd.Reason.KILLED, OptionalInt.empty(), killed);
      }
      state = VmState.ENDED;
    }
    log.info("ended: {} {}", end.reason(), end.message());
    ended.complete(end);
  }

  /** The machine exists; wishes go to it from now on. */
  void publish(Machine made, Channels opened) {
    synchronized (lock) {
      machine = made;
      channels = opened;
      if (!killed.isEmpty()) {
        end(made);
      }
    }
  }

  /** The machine is about to go. */
  void retire() {
    synchronized (lock) {
      lastCounters = machine.control().counters();
      lastChannels = channels.status();
      lastHistories = channels.histories();
      machine = null;
      channels = null;
    }
  }

  /** Starts the guest, or keeps it from starting while the machine is paused. */
  void go(BootLoader.Start start) throws IOException {
    synchronized (lock) {
      try {
        while (state == VmState.PAUSED && killed.isEmpty()) {
          lock.wait();
        }
      } catch (InterruptedException e) {
        throw new InterruptedIOException("interrupted");
      }
      machine.start(start);
    }
  }
}
