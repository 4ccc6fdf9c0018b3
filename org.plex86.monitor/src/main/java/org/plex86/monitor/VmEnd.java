// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * How a virtual machine ended.
 *
 * @param reason what ended it
 * @param result what a channel reported as the result, 0 to 255, such as the exit status of the
 *     command that the guest ran for the user; empty when none did
 * @param message one line of printable text for the user; empty when the reason says it all
 */
public record VmEnd(Reason reason, OptionalInt result, String message) {
  /** What ended a virtual machine. */
  public enum Reason {
    /** The guest powered off, or halted for good. */
    POWER_OFF,
    /** The guest asked for a reboot. A machine does not boot twice: make a new one. */
    REBOOT,
    /** The guest kernel panicked. */
    PANIC,
    /** A triple fault, a failure of the nexus, or the death of one of the machine's processes. */
    CRASH,
    /** {@link VirtualMachine#kill}, or a stop whose patience ran out, or the end of the monitor. */
    KILLED,
    /** It never ran. */
    START_FAILED
  }

  /** Checks that nothing is null. */
  public VmEnd {
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(result, "result");
    Objects.requireNonNull(message, "message");
  }
}
