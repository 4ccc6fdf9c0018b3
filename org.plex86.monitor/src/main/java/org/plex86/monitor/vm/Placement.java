// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.memory.Libc;
import org.plex86.monitor.nexus.NexusProcess;

/**
 * On which CPU of the host each machine runs. All spaces of a machine are kept on one CPU, as only
 * one of them runs at any time and a hand-off across CPUs costs ten times as much (a futex on one
 * core 6 us, across cores 60 us, measured on a nested host). Any thread.
 */
final class Placement {
  private BitSet allowed;
  private final Map<NexusProcess, Integer> places = new HashMap<>();

  /** Finds out about the host. The first machine would do it otherwise. */
  synchronized void prepare() {
    if (allowed == null) {
      allowed = allowedCpus();
    }
  }

  /**
   * Puts a machine on the CPU with the fewest machines.
   *
   * @param pin the CPUs that the user allows; empty: all that the monitor may use
   */
  synchronized void add(NexusProcess nexus, ControlMemory control, BitSet pin) {
    prepare();
    BitSet candidates = (BitSet) allowed.clone();
    if (candidates.intersects(pin)) {
      candidates.and(pin);
    }
    int best = -1;
    int least = Integer.MAX_VALUE;
    for (int cpu = candidates.length() - 1; cpu >= 0; cpu = candidates.previousSetBit(cpu - 1)) {
      int load = 0;
      for (int place : places.values()) {
        load += place == cpu ? 1 : 0;
      }
      if (load < least && candidates.get(cpu)) {
        best = cpu;
        least = load;
      }
    }
    if (best >= 0) {
      places.put(nexus, best);
      nexus.pin(best);
    }
  }

  /** Forgets a machine. */
  synchronized void remove(NexusProcess nexus) {
    places.remove(nexus);
  }

  private static BitSet allowedCpus() {
    byte[] mask = new byte[CpuList.MAX / Byte.SIZE];
    int length = Libc.sched_getaffinity(0, mask.length, mask);
    return length < 0 ? new BitSet() : BitSet.valueOf(mask);
  }
}
