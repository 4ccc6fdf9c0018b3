// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plex86.monitor.memory.Libc;

/**
 * On which CPU of the host each machine runs. All processes of a machine are kept on one CPU (its
 * user processes, if it has such, on a second one), as only one of them runs at any time, and a
 * hand-off across CPUs costs ten times as much (a futex on one core 6 us, across cores 60 us,
 * measured on a nested host). Any thread.
 */
final class Placement {
  /**
   * A machine whose processes waited longer than this share of the time for their CPU is crowded.
   */
  private static final double CROWDED = 0.15;

  /** A CPU that was idle for this share of the time has room for a machine. */
  private static final double FREE = 0.5;

  private final HostCpus host;
  private final Map<Movable, Place> places = new LinkedHashMap<>();
  private BitSet allowed;

  /** What is placed. */
  interface Movable {
    /** The processes; none when they are gone. */
    List<Integer> processes();

    /**
     * Moves all of them, and those that they will make.
     *
     * @param second another CPU, for a machine that makes use of two; the same where there is none
     */
    void pin(int cpu, int second);

    /** Whether none of them has anything to do at the moment. */
    boolean idle();
  }

  /** Where a machine is, and where it may be. */
  private static final class Place {
    final BitSet candidates;
    int cpu;
    long waited;

    Place(BitSet candidates) {
      this.candidates = candidates;
    }
  }

  /** Places machines on the CPUs that the monitor may use. */
  Placement(HostCpus host) {
    this(host, null);
  }

  /**
   * Places machines.
   *
   * @param allowed CPUs to use; null: those that the monitor may use, asked when first needed
   */
  Placement(HostCpus host, BitSet allowed) {
    this.host = host;
    this.allowed = allowed;
  }

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
  synchronized void add(Movable machine, BitSet pin) {
    prepare();
    BitSet candidates = (BitSet) allowed.clone();
    if (candidates.intersects(pin)) {
      candidates.and(pin);
    }
    int best = emptiest(candidates);
    if (best >= 0) {
      Place place = new Place(candidates);
      places.put(machine, place);
      move(machine, place, best);
    }
  }

  /** The CPU with the fewest machines; -1 where there is none to choose. */
  private int emptiest(BitSet candidates) {
    int best = -1;
    long least = Long.MAX_VALUE;
    // From the last: the first CPU of a host often serves its interrupts.
    for (int cpu = candidates.length() - 1; cpu >= 0; cpu = candidates.previousSetBit(cpu - 1)) {
      long load = 0;
      for (Place place : places.values()) {
        load += place.cpu == cpu ? 1 : 0;
      }
      if (load < least) {
        best = cpu;
        least = load;
      }
    }
    return best;
  }

  /** Forgets a machine. */
  synchronized void remove(Movable machine) {
    places.remove(machine);
  }

  /**
   * Moves one machine, if its CPU is crowded while another one has room. To be called at even
   * intervals; costs some file reads for a machine that is not idle, nothing for one that is.
   *
   * @return whether to look again soon: some machine is not idle, or there is none yet, and the
   *     first may come to a crowded CPU
   */
  synchronized boolean balance() {
    boolean busy = places.keySet().stream().anyMatch(machine -> !machine.idle());
    if (!busy) {
      host.forget();
      return places.isEmpty();
    }
    Map<Integer, Double> idle = host.idleShares();
    boolean moved = false;
    for (Map.Entry<Movable, Place> entry : places.entrySet()) {
      Place place = entry.getValue();
      long before = place.waited;
      place.waited = host.waitedNanos(entry.getKey().processes());
      boolean crowded =
          before != 0
              && !entry.getKey().idle()
              && place.waited - before > CROWDED * host.intervalNanos();
      int target = crowded && !moved ? freest(place, idle) : place.cpu;
      if (target != place.cpu) {
        move(entry.getKey(), place, target);
        moved = true;
      }
    }
    return true;
  }

  private static int freest(Place place, Map<Integer, Double> idle) {
    int best = place.cpu;
    double most = FREE;
    for (Map.Entry<Integer, Double> cpu : idle.entrySet()) {
      if (place.candidates.get(cpu.getKey()) && cpu.getValue() > most) {
        best = cpu.getKey();
        most = cpu.getValue();
      }
    }
    return best;
  }

  private void move(Movable machine, Place place, int cpu) {
    place.cpu = cpu;
    BitSet others = (BitSet) place.candidates.clone();
    others.clear(cpu);
    machine.pin(cpu, others.isEmpty() ? cpu : emptiest(others));
  }

  private static BitSet allowedCpus() {
    byte[] mask = new byte[CpuList.MAX / Byte.SIZE];
    int length = Libc.sched_getaffinity(0, mask.length, mask);
    return length < 0 ? new BitSet() : BitSet.valueOf(mask);
  }
}
