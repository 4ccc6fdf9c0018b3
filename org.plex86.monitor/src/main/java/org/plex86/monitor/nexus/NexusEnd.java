// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import java.util.function.IntFunction;

/**
 * How the processes of a machine ended.
 *
 * @param byGuest the guest ended by itself, and the control memory says why
 * @param message one line for the user; empty when the guest ended by itself, or we ended them
 */
public record NexusEnd(boolean byGuest, String message) {
  /**
   * What the supervisor's last report and its exit status mean.
   *
   * @param last null when it reported nothing of its end
   * @param status as of waitpid
   */
  static NexusEnd of(NexusReport last, int status, IntFunction<String> space) {
    if (last instanceof NexusReport.Ended) {
      return new NexusEnd(true, "");
    }
    if (last instanceof NexusReport.Died died) {
      return new NexusEnd(
          false,
          space.apply(died.slot())
              + (died.how().equals("signal")
                  ? " was killed by signal " + died.number()
                  : " exited with status " + died.number()));
    }
    if (last instanceof NexusReport.Failed failed) {
      return new NexusEnd(false, "the nexus cannot start: " + failed.text());
    }
    int signal = status & 0x7f;
    int exit = status >> 8 & 0xff;
    if (signal != 0) {
      return new NexusEnd(false, "the nexus supervisor was killed by signal " + signal);
    }
    return new NexusEnd(false, exit == 0 ? "" : "the nexus supervisor exited with status " + exit);
  }
}
