// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.virtio.DeviceProfile;
import org.plex86.monitor.virtio.MmioDevice;
import org.plex86.monitor.virtio.MmioTransport;
import org.plex86.monitor.virtio.RegisterPage;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * A place for a channel in a virtual machine: a virtio-mmio device whose driver may change while
 * the guest runs. The state machine is {@link SlotMachine}; this is what the virtual machine, the
 * driver registry and the shell see of it. Any thread, where nothing else is said.
 */
public final class ChannelSlot {
  /** How long a guest's write to the configuration space waits for the driver to see it. */
  private static final Duration CONFIG_WRITE_WAIT = Duration.ofMillis(200);

  private static final int CONFIG_WRITES_WAITING = 16;

  private final ChannelSpec spec;
  private final DriverRegistry registry;
  private final SlotTiming timing;
  private final MmioTransport transport;
  private final SlotMachine machine;
  private final AtomicInteger configWrites = new AtomicInteger();
  private final AtomicInteger kicks = new AtomicInteger();
  private final AtomicBoolean resetPending = new AtomicBoolean();

  /**
   * A slot, not yet opened; its register page says that there is no device.
   *
   * @param spec with a name
   */
  public ChannelSlot(
      ChannelSpec spec, SlotResources resources, ChannelHost host, DriverRegistry registry) {
    this(spec, resources, host, registry, SlotTiming.DEFAULT);
  }

  ChannelSlot(
      ChannelSpec spec,
      SlotResources resources,
      ChannelHost host,
      DriverRegistry registry,
      SlotTiming timing) {
    this.spec = spec;
    this.registry = registry;
    this.timing = timing;
    RegisterPage page = new RegisterPage(resources.registers());
    transport = new MmioTransport(page, resources.memory(), resources.interrupt(), new Guest());
    machine = new SlotMachine(spec, host, registry, timing, resources.doorbell(), transport);
  }

  /** The channel as the user asked for it. */
  public ChannelSpec spec() {
    return spec;
  }

  /** What the slot is doing. */
  public SlotStatus status() {
    return machine.status();
  }

  /** Whether a driver of a type serves the guest. */
  boolean serves(String type) {
    return spec.type().equals(type) && status().state() == SlotState.BOUND;
  }

  /** Whether a service takes part in serving the guest. */
  boolean uses(HalService service) {
    return machine.uses(service);
  }

  /** The latest events, the oldest first. */
  public List<SlotEvent> history() {
    return machine.report().events();
  }

  /**
   * Binds the best driver. To be called before the guest starts, as the device ID cannot change
   * later.
   *
   * @param timeout how long to wait for a driver to come and to open
   * @throws HalException there is none, or it refuses; one line for the user. The slot is closed
   */
  public void open(Duration timeout) throws HalException {
    begin();
    HalException failure;
    try {
      machine.firstBinding().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return;
    } catch (TimeoutException e) {
      failure = new HalException(absence());
    } catch (ExecutionException e) {
      failure = new HalException(e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure = new HalException("interrupted while channel " + spec.name() + " was opened");
    }
    close();
    throw failure;
  }

  /**
   * Opens the slot as a spare one: the guest sees a device of this profile, and waits until a
   * driver comes that covers it. The profile fixes the device ID, and what the guest negotiates.
   *
   * @throws HalException the profile cannot be
   */
  public void openSpare(DeviceProfile profile) throws HalException {
    profile.check();
    transport.bind(profile);
    begin();
  }

  private void begin() {
    machine.thread().start();
    registry.attach(this);
    machine.thread().submit(machine::reconsider);
  }

  private String absence() {
    String running = machine.callback();
    return running == null
        ? "no driver of type '%s'%s for channel %s: install and start a bundle that provides it"
            .formatted(
                spec.type(),
                spec.driver().isEmpty() ? "" : " in bundle '" + spec.driver() + "'",
                spec.name())
        : "the driver of channel %s does not return from %s".formatted(spec.name(), running);
  }

  /**
   * The guest wrote to the device's register page. Takes any values. To be called on the thread of
   * the virtual machine's exits, which it may keep for the slot's patience where the guest resets a
   * device whose driver hangs.
   */
  public void write(int offset, int size, long value) {
    transport.write(offset, size, value);
  }

  /** Output of the guest before its drivers are up, for the slot that is the early console. */
  public void earlyOutput(byte[] text) {
    if (machine.early().add(text)) {
      machine.thread().submit(machine::deliverEarlyOutput);
    }
  }

  /** Takes the driver away; the guest waits until {@link #unpark}. */
  public void park() {
    change(() -> machine.setHeldByUser(true));
  }

  /** Lets the slot have a driver again; those that crashed or were refused may try again, too. */
  public void unpark() {
    change(() -> machine.setHeldByUser(false));
  }

  /**
   * Binds the driver of a bundle, whatever its ranking, and waits until it serves.
   *
   * @param bundle {@code symbolic.name} or {@code symbolic.name:version}
   * @throws HalException it cannot serve; the message says why. The driver before it serves then
   */
  public void swap(String bundle) throws HalException {
    CompletableFuture<String> outcome = new CompletableFuture<>();
    change(() -> machine.prefer(bundle, outcome));
    // a driver that hangs in the course of it is left behind within the patience, twice at most
    machine.thread().waitUntil(outcome::isDone, timing.patience().multipliedBy(3));
    String refusal = outcome.getNow("it has not come to it: see its history");
    if (!refusal.isEmpty()) {
      throw new HalException(refusal);
    }
  }

  /** The registry's drivers are others now. */
  void driversChanged() {
    change(machine::driversChanged);
  }

  /**
   * A command that nobody waits for: whoever hangs in a callback, and so keeps it from being run or
   * finished, is left behind after a while.
   */
  private void change(Runnable command) {
    machine.thread().submit(command);
    CompletableFuture.delayedExecutor(
            timing.patience().toMillis(), TimeUnit.MILLISECONDS, ChannelSlot::onItsOwn)
        .execute(() -> insist(() -> {}));
  }

  /** Not on the common pool, which may have one thread only: the task can wait for a while. */
  private static void onItsOwn(Runnable task) {
    Thread thread = new Thread(task, "plex86-slot-patience");
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs a command and waits for its end; leaves a driver behind that hangs meanwhile. */
  private void insist(Runnable command) {
    for (int trial = 0; trial < 2; trial++) {
      Thread running = machine.thread().current();
      if (machine.thread().submitAndWait(command, timing.patience())) {
        return;
      }
      if (machine.callback() != null) {
        machine.thread().leaveBehind(running);
      }
    }
  }

  /**
   * Waits until the slot does not use a driver that was taken from the registry, or uses it as one
   * that lingers.
   */
  void awaitRelease(HalService driver) {
    for (int trial = 0; trial < 2; trial++) {
      Thread running = machine.thread().current();
      if (machine.thread().waitUntil(() -> !machine.dependsOn(driver), timing.patience())) {
        return;
      }
      if (machine.callback() != null) {
        machine.thread().leaveBehind(running);
      }
    }
  }

  /**
   * Closes the channel, at the end of the virtual machine. Waits for the driver, within bounds.
   *
   * @return whether nothing uses the slot's resources any more; false: a driver hangs in a callback
   */
  public boolean close() {
    registry.detach(this);
    if (machine.thread().current() == null) {
      return true;
    }
    machine.prepareToEnd();
    insist(machine::end);
    return machine.thread().allDead(timing.patience());
  }

  /** What the guest's register writes make happen. On the thread of the exits. */
  private final class Guest implements MmioDevice {
    @Override
    public void driverOk(long features, List<Virtqueue> queues) {
      machine.thread().submit(() -> machine.driverOk(features, queues));
    }

    @Override
    public void resetting() {
      insist(machine::serveLast);
    }

    @Override
    public void withdraw(boolean deviceReset) {
      insist(() -> machine.withdraw(deviceReset));
    }

    @Override
    public void wasReset() {
      // a guest that goes on resetting must not fill the queue of a thread that hangs
      if (resetPending.compareAndSet(false, true)) {
        machine
            .thread()
            .submit(
                () -> {
                  resetPending.set(false);
                  machine.wasReset();
                });
      }
    }

    @Override
    public void configWritten(int offset, byte[] value) {
      if (configWrites.get() >= CONFIG_WRITES_WAITING) {
        return; // a driver that hangs, and a guest that goes on writing
      }
      configWrites.incrementAndGet();
      machine
          .thread()
          .submitAndWait(
              () -> {
                configWrites.decrementAndGet();
                machine.configWritten(offset, value);
              },
              CONFIG_WRITE_WAIT);
    }

    @Override
    public void kicked(int queue) {
      if (kicks.getAndAccumulate(1 << queue, (a, b) -> a | b) == 0) {
        machine.thread().submit(() -> machine.rung(kicks.getAndSet(0)));
      }
    }

    @Override
    public void misused(String what) {
      machine.report().misuse(what);
    }
  }
}
