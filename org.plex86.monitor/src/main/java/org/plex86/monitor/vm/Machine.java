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
  private final Fd ramFd;
  private final GuestRam ram;
  private final ControlMemory control;
  private final NexusProcess nexus;
  private final InterruptController interrupts;

  /** Makes the memory and starts the processes; the guest does not run yet. */
  Machine(VmConfig config, int devices, Path executable) throws IOException {
    Fd controlFd = Fd.sealedMemory("plex86-control", ControlLayout.CONTROL_SIZE);
    try (controlFd) {
      ramFd = Fd.sealedMemory("plex86-ram", config.memory());
      try {
        control = new ControlMemory(controlFd);
        ram = new GuestRam(ramFd, config.memory());
        int pages = (int) (config.memory() / GuestRam.PAGE);
        control.initialise(pages, config.spaces(), devices, 0);
        nexus = new NexusProcess(executable, config.name(), controlFd, ramFd, control::ringBell);
      } catch (IOException e) {
        ramFd.close();
        throw e;
      }
    }
    interrupts = new InterruptController(control, nexus::kick);
  }

  GuestRam ram() {
    return ram;
  }

  ControlMemory control() {
    return control;
  }

  NexusProcess nexus() {
    return nexus;
  }

  InterruptController interrupts() {
    return interrupts;
  }

  @Override
  public List<Integer> processes() {
    return nexus.processes();
  }

  @Override
  public void pin(int cpu) {
    nexus.pin(cpu);
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
  }
}
