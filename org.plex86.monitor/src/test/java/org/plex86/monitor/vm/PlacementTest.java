// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacementTest {
  @TempDir Path proc;
  private Placement placement;
  private long ticks;

  /** A machine of one process, which notes where it is put. */
  private static final class Pinned implements Placement.Movable {
    final int pid;
    final List<Integer> cpus = new ArrayList<>();
    boolean idle;

    Pinned(int pid) {
      this.pid = pid;
    }

    @Override
    public List<Integer> processes() {
      return List.of(pid);
    }

    @Override
    public void pin(int cpu, int second) {
      cpus.add(cpu);
    }

    @Override
    public boolean idle() {
      return idle;
    }
  }

  @BeforeEach
  void allowFourCpus() {
    placement = new Placement(new HostCpus(proc), cpus(0, 1, 2, 3));
  }

  private static BitSet cpus(int... numbers) {
    BitSet set = new BitSet();
    for (int number : numbers) {
      set.set(number);
    }
    return set;
  }

  /** A second passes, in which each CPU is idle for some percent of it, and process 1 waits. */
  private void second(long waitedNanos, int... idle) throws IOException, InterruptedException {
    ticks += 100;
    StringBuilder stat = new StringBuilder();
    for (int cpu = 0; cpu < idle.length; cpu++) {
      long idleTicks = ticks / 100 * idle[cpu];
      stat.append("cpu").append(cpu).append(' ').append(ticks - idleTicks);
      stat.append(" 0 0 ").append(idleTicks).append(" 0 0 0 0 0 0\n");
    }
    Files.writeString(proc.resolve("stat"), stat);
    Files.createDirectories(proc.resolve("1"));
    Files.writeString(proc.resolve("1/schedstat"), "5 " + waitedNanos + " 5\n");
    Thread.sleep(2); // the interval is measured, and is short here: any wait is a long one
    placement.balance();
  }

  @Test
  void machinesAreSpreadOverTheCpus() {
    List<Pinned> machines = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      machines.add(new Pinned(i));
      placement.add(machines.get(i), new BitSet());
    }
    assertThat(machines.stream().map(machine -> machine.cpus.get(0)))
        .containsExactlyInAnyOrder(0, 0, 1, 1, 2, 2, 3, 3);
  }

  @Test
  void placeOfAMachineThatWentIsTakenAgain() {
    Pinned first = new Pinned(1);
    placement.add(first, new BitSet());
    placement.remove(first);
    Pinned second = new Pinned(2);
    placement.add(second, new BitSet());
    assertThat(second.cpus).isEqualTo(first.cpus);
  }

  @Test
  void machineIsPutWhereTheUserWantsIt() {
    Pinned machine = new Pinned(1);
    placement.add(machine, cpus(1));
    assertThat(machine.cpus).containsExactly(1);
  }

  @Test
  void cpusThatCannotBeUsedAreNotAsked() {
    Pinned machine = new Pinned(1);
    placement.add(machine, cpus(77));
    assertThat(machine.cpus).hasSize(1).doesNotContain(77);
  }

  @Test
  void crowdedMachineGoesToTheFreestCpu() throws Exception {
    Pinned machine = new Pinned(1);
    placement.add(machine, new BitSet());
    second(1, 60, 90, 0, 0);
    second(1_000_000_000_000L, 60, 90, 0, 0);
    assertThat(machine.cpus).containsExactly(3, 1);
  }

  @Test
  void crowdedMachineStaysWhereNoOtherCpuHasRoom() throws Exception {
    Pinned machine = new Pinned(1);
    placement.add(machine, new BitSet());
    second(1, 40, 30, 0, 0);
    second(1_000_000_000_000L, 40, 30, 0, 0);
    assertThat(machine.cpus).containsExactly(3);
  }

  @Test
  void crowdedMachineStaysWithinWhatTheUserAllows() throws Exception {
    Pinned machine = new Pinned(1);
    placement.add(machine, cpus(2, 3));
    second(1, 100, 100, 0, 0);
    second(1_000_000_000_000L, 100, 100, 0, 0);
    assertThat(machine.cpus).containsExactly(3);
  }

  @Test
  void machineThatDoesNotWaitStays() throws Exception {
    Pinned machine = new Pinned(1);
    placement.add(machine, new BitSet());
    second(1, 100, 100, 100, 0);
    second(2, 100, 100, 100, 0);
    assertThat(machine.cpus).containsExactly(3);
  }

  @Test
  void idleMachineStays() throws Exception {
    assertThat(placement.balance()).isTrue();
    Pinned machine = new Pinned(1);
    machine.idle = true;
    placement.add(machine, new BitSet());
    second(1, 100, 100, 100, 0);
    second(1_000_000_000_000L, 100, 100, 100, 0);
    assertThat(machine.cpus).containsExactly(3);
    assertThat(placement.balance()).isFalse();
    machine.idle = false;
    assertThat(placement.balance()).isTrue();
  }
}
