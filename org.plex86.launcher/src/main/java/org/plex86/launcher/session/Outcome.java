// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

import org.plex86.monitor.VmEnd;

/**
 * What the end of a virtual machine means to the user.
 *
 * @param status the exit status of {@code plex86 run}
 * @param message one line, or empty
 */
record Outcome(int status, String message) {
  /**
   * Translates an end.
   *
   * @param exec whether the guest was to run one command
   */
  static Outcome of(VmEnd end, boolean exec) {
    return switch (end.reason()) {
      case POWER_OFF, REBOOT -> clean(end, exec);
      case PANIC ->
          new Outcome(ExitStatus.CRASHED, orElse(end.message(), "the guest kernel panicked"));
      case CRASH ->
          new Outcome(
              ExitStatus.CRASHED, orElse(end.message(), "a part of the virtual machine died"));
      case START_FAILED ->
          new Outcome(
              ExitStatus.NOT_STARTED, orElse(end.message(), "the virtual machine did not start"));
      case KILLED -> killed(end, exec);
    };
  }

  private static Outcome clean(VmEnd end, boolean exec) {
    if (end.result().isPresent()) {
      return new Outcome(end.result().getAsInt(), "");
    }
    String message = exec ? "the guest powered off before the command ended" : "";
    return new Outcome(ExitStatus.OK, message);
  }

  private static Outcome killed(VmEnd end, boolean exec) {
    if (end.result().isPresent()) {
      // the command ended, but the guest then took too long to power off
      return new Outcome(end.result().getAsInt(), "");
    }
    if (exec) {
      return new Outcome(
          ExitStatus.CRASHED, "the virtual machine was stopped before the command ended");
    }
    return new Outcome(ExitStatus.OK, end.message());
  }

  private static String orElse(String message, String otherwise) {
    return message.isEmpty() ? otherwise : message;
  }
}
