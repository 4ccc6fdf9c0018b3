// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.cpu;

import static org.plex86.monitor.control.ControlLayout.*;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.plex86.monitor.control.Exit;

/**
 * Answers what the guest does that the nexus does not handle by itself. All numbers are the guest's
 * choice. One thread.
 */
public final class ExitDispatcher {
  /** The registers of a virtio-mmio device. */
  @FunctionalInterface
  public interface RegisterWrites {
    /** A write by the guest, of any kind; must not throw. */
    void write(int offset, int size, long value);
  }

  /**
   * An answer.
   *
   * @param value read by the guest, if it reads
   * @param fault the guest gets a general-protection exception instead
   */
  public record Answer(long value, boolean fault) {
    static final Answer DONE = new Answer(0, false);
    static final Answer FAULT = new Answer(0, true);
  }

  /**
   * MSRs that read as zero and swallow writes, as nothing in them concerns a guest: TSC_ADJUST,
   * microcode revision, MISC_ENABLE, PAT, EFER. All others fault, which the kernel's *_safe
   * accessors expect of an MSR that is not there (arch/x86/mm/extable.c handles the rest).
   */
  private static final Set<Integer> HARMLESS_MSRS = Set.of(0x3b, 0x8b, 0x1a0, 0x277, 0xc0000080);

  /** A guest that walks through all ports and MSRs must not fill memory or the log. */
  private static final int MAX_REPORTED = 32;

  private final List<RegisterWrites> devices;
  private final Consumer<String> log;
  private final Set<String> reported = new HashSet<>();

  /**
   * A dispatcher.
   *
   * @param devices by number
   * @param log takes one line for each thing that was not foreseen
   */
  public ExitDispatcher(List<RegisterWrites> devices, Consumer<String> log) {
    this.devices = List.copyOf(devices);
    this.log = log;
  }

  /** Does what an exit asks for. */
  public Answer answer(Exit exit) {
    switch (exit.kind()) {
      case EXIT_MMIO_WRITE -> {
        if (exit.device() >= 0 && exit.device() < devices.size()) {
          devices.get(exit.device()).write(exit.offset(), exit.size(), exit.value());
        } else {
          report("write to device " + exit.device() + ", which does not exist");
        }
        return Answer.DONE;
      }
      case EXIT_PIO_IN -> {
        report("read of port 0x" + Integer.toHexString(exit.offset() & 0xffff));
        // A bus without a device: all lines are high.
        return new Answer(ones(exit.size()), false);
      }
      case EXIT_PIO_OUT -> {
        report("write to port 0x" + Integer.toHexString(exit.offset() & 0xffff));
        return Answer.DONE;
      }
      case EXIT_RDMSR, EXIT_WRMSR -> {
        if (HARMLESS_MSRS.contains(exit.offset())) {
          return Answer.DONE;
        }
        report("access to MSR 0x" + Integer.toHexString(exit.offset()));
        return Answer.FAULT;
      }
      default -> {
        report("exit of unknown kind " + exit.kind());
        return Answer.FAULT;
      }
    }
  }

  private static long ones(int size) {
    return switch (size) {
      case 1 -> 0xff;
      case 2 -> 0xffff;
      default -> 0xffffffffL;
    };
  }

  private void report(String what) {
    if (reported.size() < MAX_REPORTED && reported.add(what)) {
      log.accept("guest: " + what);
    }
  }
}
