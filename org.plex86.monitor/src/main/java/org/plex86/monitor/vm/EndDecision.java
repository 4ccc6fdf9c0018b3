// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.plex86.monitor.control.ControlLayout.*;

import java.util.OptionalInt;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.nexus.NexusEnd;

/** What the end of a machine's processes means. */
final class EndDecision {
  private EndDecision() {}

  /**
   * The end of a guest that ran.
   *
   * @param killed why we ended it; empty when we did not
   * @param reason of the control memory: any number
   * @param text of the control memory, one line of printable ASCII
   */
  static VmEnd of(NexusEnd nexus, String killed, int reason, String text, OptionalInt result) {
    if (nexus.byGuest()) {
      return byGuest(reason, text, result);
    }
    if (!killed.isEmpty()) {
      return new VmEnd(Reason.KILLED, result, killed);
    }
    String message = nexus.message().isEmpty() ? "the nexus supervisor ended" : nexus.message();
    return new VmEnd(Reason.CRASH, result, message);
  }

  private static VmEnd byGuest(int reason, String text, OptionalInt result) {
    return switch (reason) {
      case PLEX86_END_POWEROFF, PLEX86_END_HALT -> new VmEnd(Reason.POWER_OFF, result, text);
      case PLEX86_END_REBOOT -> new VmEnd(Reason.REBOOT, result, text);
      case PLEX86_END_PANIC ->
          new VmEnd(Reason.PANIC, result, join("the guest kernel panicked", text));
      case END_TRIPLE_FAULT ->
          new VmEnd(Reason.CRASH, result, join("the guest triple-faulted", text));
      case END_NEXUS -> new VmEnd(Reason.CRASH, result, join("the nexus failed", text));
      default ->
          new VmEnd(
              Reason.CRASH, result, join("the guest ended for the unknown reason " + reason, text));
    };
  }

  private static String join(String what, String text) {
    return text.isEmpty() ? what : what + ": " + text;
  }
}
