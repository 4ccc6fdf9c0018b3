// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.plex86.monitor.boot.BootLoader;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.cpu.CpuidPolicy;
import org.plex86.monitor.irq.InterruptController;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.GuestRam;
import org.plex86.monitor.nexus.NexusProcess;

/**
 * The hardware of a virtual machine: memory, processor, interrupt controller. Its devices are the
 * channel slots'.
 */
final class Machine implements AutoCloseable, Placement.Movable {
  /** About 50 us of spinning for a hand-off between two CPUs, which takes less than 1 us. */
  private static final int SPIN = 2000;

  private final String name;
  private final boolean strict;
  private final Fd controlFd;
  private final Fd ramFd;
  private final GuestRam ram;
  private final ControlMemory control;
  private final InterruptController interrupts;

  /** Written once, under the lock. */
  private volatile NexusProcess nexus;

  private boolean ending;

  /** Makes the memory. There are no processes yet. */
  Machine(VmConfig config, int devices) throws IOException {
    name = config.name();
    controlFd = Fd.sealedMemory("plex86-control", ControlLayout.CONTROL_SIZE);
    Fd made = null;
    try {
      made = Fd.sealedMemory("plex86-ram", config.memory());
      control = new ControlMemory(controlFd);
      ram = new GuestRam(made, config.memory());
    } catch (IOException e) {
      controlFd.close();
      if (made != null) {
        made.close();
      }
      throw e;
    }
    ramFd = made;
    strict = config.isolation() == Isolation.STRICT;
    int pages = (int) (config.memory() / GuestRam.PAGE);
    control.initialise(
        pages, config.spaces(), devices, strict ? SPIN : 0, config.isolation().code());
    interrupts = new InterruptController(control, this::kick);
  }

  /**
   * Starts the processes, which then wait for {@link #start}; or none if {@link #kill} came first.
   */
  synchronized void spawn(Path executable) throws IOException {
    if (!ending) {
      nexus = new NexusProcess(executable, name, controlFd, ramFd, control::ringBell);
    }
  }

  /** Ends the processes by asking the supervisor, or keeps them from being started. */
  synchronized void kill() {
    ending = true;
    if (nexus != null) {
      nexus.kill();
    }
  }

  /** The processes; null before they were started. */
  NexusProcess nexus() {
    return nexus;
  }

  private void kick(int slot) {
    NexusProcess running = nexus;
    if (running != null) {
      running.kick(slot);
    }
  }

  GuestRam ram() {
    return ram;
  }

  ControlMemory control() {
    return control;
  }

  InterruptController interrupts() {
    return interrupts;
  }

  @Override
  public List<Integer> processes() {
    NexusProcess running = nexus;
    return running == null ? List.of() : running.processes();
  }

  @Override
  public void pin(int cpu, int second) {
    NexusProcess running = nexus;
    if (running != null) {
      running.pin(cpu, strict ? second : cpu);
    }
  }

  @Override
  public boolean idle() {
    return control.idle();
  }

  /** Starts the guest. The processes are ready. */
  void start(BootLoader.Start start) {
    CpuidPolicy policy = new CpuidPolicy(control.hostCpuid(), control.hostXcr0());
    control.guestCpuid(policy.guest());
    control.go(start.entry(), start.bootParams(), policy.guestXcr0());
  }

  /**
   * Gives the memory back to the host. The processes are gone; views of the memory read as zero.
   */
  @Override
  public void close() {
    ramFd.punch(ram.size());
    ramFd.close();
    controlFd.close();
  }
}
