// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.VmProperties;

/** Machines whose user code runs in processes of its own. */
class StrictTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long MEMORY = 64L << 20;

  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void statusOfACommandBecomesTheResult() {
    VmEnd end = Machines.end(exec("exit 7"), PATIENCE);
    assertThat(end.reason()).as("%s", end).isEqualTo(Reason.POWER_OFF);
    assertThat(end.result()).hasValue(7);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "i=0; while [ $i -lt 200 ]; do /bin/true || exit 1; i=$((i+1)); done",
        "head -c 2000000 /dev/urandom >/tmp/a; gzip -c /tmp/a | gunzip | cmp - /tmp/a",
        "(while :; do :; done) & (while :; do :; done) & sleep 1; kill $! && kill %1",
        "for i in 1 2 3 4 5 6 7 8; do (sleep 0.$i; echo $i >>/tmp/b) & done; wait;"
            + " [ $(wc -l </tmp/b) = 8 ]",
        "sh -c 'kill -SEGV $$'; [ $? = 139 ]",
      })
  void whatRunsInASharedMachineRunsHere(String command) {
    assertThat(Machines.end(exec(command), PATIENCE).result()).as(command).hasValue(0);
  }

  @Test
  void moreAddressSpacesThanProcessesAreTakenInTurns() {
    VirtualMachine vm =
        machines.start(
            "few",
            properties(
                "for i in 1 2 3 4 5 6; do (sleep 0.2; sleep 0.2) & done; wait; exit 3",
                Map.of(VmProperties.SPACES, 3)));
    assertThat(Machines.end(vm, PATIENCE).result()).hasValue(3);
    assertThat(vm.counters().get("space_evictions")).isPositive();
  }

  @Test
  void userProcessesMapNothingOfTheMachineButUserMemory() throws IOException {
    VirtualMachine vm = exec("while :; do sleep 0.01; done");
    await(vm, "user_parks", 20);
    List<Integer> processes = vm.processes();
    int mapping = 0;
    // The supervisor and the kernel process come first, the relay last.
    for (int pid : processes.subList(2, processes.size() - 1)) {
      for (String line : maps(pid)) {
        long start = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
        boolean isRam = line.contains("plex86-ram");
        assertThat(isRam && start >= 0xc0000000L).as(line).isFalse();
        assertThat(line).doesNotContain("plex86-control").doesNotContain("[stack]");
        assertThat(line.contains("plex86-handoff") && line.contains("w") && !isReport(start))
            .as(line)
            .isFalse();
        mapping += isRam ? 1 : 0;
      }
    }
    assertThat(mapping).isPositive();
    vm.kill();
    Machines.end(vm, PATIENCE);
  }

  @Test
  void userProcessThatIsKilledIsReplaced() {
    VirtualMachine vm =
        exec("i=0; while [ $i -lt 400 ]; do (sleep 0.005); i=$((i+1)); done; exit 7");
    await(vm, "user_turns", 1000);
    List<Integer> processes = vm.processes();
    int spare = processes.get(processes.size() - 2); // the relay is the last
    assertThat(ProcessHandle.of(spare).orElseThrow().destroyForcibly()).isTrue();
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (vm.processes().contains(spare) || vm.processes().size() < processes.size()) {
      assertThat(System.nanoTime()).as("%s", vm.processes()).isLessThan(end);
      LockSupport.parkNanos(2_000_000);
    }
    assertThat(Machines.end(vm, PATIENCE).result()).hasValue(7);
  }

  /** NEXUS_VM of map.h: the one part of the hand-off memory that a user process may write. */
  private static boolean isReport(long start) {
    return start == 0x211000033000L;
  }

  private static List<String> maps(int pid) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/maps"))) {
      return lines.toList();
    }
  }

  private static void await(VirtualMachine vm, String counter, long least) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (vm.counters().getOrDefault(counter, 0L) < least) {
      assertThat(System.nanoTime()).as("%s of %s", counter, vm.counters()).isLessThan(end);
      LockSupport.parkNanos(2_000_000);
    }
  }

  private VirtualMachine exec(String command) {
    return machines.start("strict", properties(command, Map.of()));
  }

  private static Map<String, Object> properties(String command, Map<String, Object> more) {
    Map<String, Object> properties = new HashMap<>(more);
    properties.put(VmProperties.ISOLATION, "strict");
    properties.put(VmProperties.MEMORY, MEMORY);
    properties.put(VmProperties.APPEND, "quiet plex86.exec");
    String escaped = command.replace("\\", "\\\\").replace(",", "\\,");
    properties.put(VmProperties.CHANNELS, new String[] {"type=console,quiet=on,exec=" + escaped});
    return properties;
  }
}
