// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.annotation.bundle.Requirement;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** The life of machines with the guest image that ships: from the start to every kind of end. */
@Requirement(namespace = VmProperties.GUEST_NAMESPACE, filter = "(abi=2)")
class LifeCycleTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path files;
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void statusOfACommandBecomesTheResult() {
    VmEnd end = Machines.end(exec("vm", "exit 7", 64), PATIENCE);
    assertThat(end.reason()).as("%s", end).isEqualTo(Reason.POWER_OFF);
    assertThat(end.result()).hasValue(7);
  }

  @ParameterizedTest
  @CsvSource({"24, 14000, 24576", "256, 230000, 262144", "3072, 2900000, 3145728"})
  void guestHasTheMemoryItWasGiven(int mebibytes, int least, int most) {
    String check =
        "set -- $(grep MemTotal /proc/meminfo); [ $2 -ge "
            + least
            + " ] && [ $2 -le "
            + most
            + " ]";
    VmEnd end = Machines.end(exec("vm", check, mebibytes), PATIENCE);
    assertThat(end.result()).as("%s", end).hasValue(0);
  }

  @Test
  void guestKnowsWhatTimeItIs() {
    long now = System.currentTimeMillis() / 1000;
    String check = "t=$(date +%s); [ $t -ge " + (now - 1) + " ] && [ $t -le " + (now + 60) + " ]";
    assertThat(Machines.end(exec("vm", check, 64), PATIENCE).result()).hasValue(0);
  }

  @Test
  void stopIsAnOrderlyPowerOff() {
    VirtualMachine vm = shell("vm");
    awaitUser(vm);
    vm.stop(PATIENCE);
    assertThat(vm.state()).isIn(VmState.STOPPING, VmState.ENDED);
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.POWER_OFF);
  }

  @Test
  void pausedGuestStandsStillAndGoesOnWhenResumed() throws InterruptedException {
    VirtualMachine vm = exec("vm", "while [ ! -e /tmp/no ]; do :; done", 64);
    awaitUser(vm);
    vm.pause();
    assertThat(vm.state()).isEqualTo(VmState.PAUSED);
    Thread.sleep(50); // a signal that was sent may take a moment on a busy host
    long paused = vm.counters().get("interrupts");
    Thread.sleep(300);
    assertThat(vm.counters()).containsEntry("interrupts", paused);
    vm.resume();
    assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    await(() -> vm.counters().get("interrupts") > paused);
  }

  @Test
  void pausedMachineCanBeKilled() {
    VirtualMachine vm = shell("vm");
    awaitUser(vm);
    List<Integer> processes = vm.processes();
    vm.pause();
    vm.kill();
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.KILLED);
    assertGone(processes);
  }

  @Test
  void machineWhoseSupervisorWasStoppedCanBeKilled() throws Exception {
    VirtualMachine vm = shell("vm");
    awaitUser(vm);
    List<Integer> processes = vm.processes();
    Process stop = new ProcessBuilder("sh", "-c", "kill -STOP " + processes.get(0)).start();
    assertThat(stop.waitFor()).isZero();
    vm.kill();
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.KILLED);
    assertGone(processes);
  }

  /** The process that runs the guest kernel; a user process of a strict machine is replaced. */
  @ParameterizedTest
  @CsvSource({"strict, 1", "shared, 3"})
  void killedSpaceIsTheEndOfItsMachineOnly(String isolation, int index) {
    VirtualMachine other = shell("other");
    VirtualMachine vm = shell("vm", isolation);
    awaitUser(vm);
    List<Integer> processes = vm.processes();
    int space = processes.get(index);
    assertThat(ProcessHandle.of(space).orElseThrow().destroyForcibly()).isTrue();
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.CRASH);
    assertThat(end.message()).contains("process " + space).contains("killed by signal 9");
    assertGone(processes);
    awaitUser(other);
    assertThat(other.state()).isEqualTo(VmState.RUNNING);
  }

  @Test
  void killedSupervisorTakesAllSpacesWithIt() {
    VirtualMachine vm = shell("vm");
    awaitUser(vm);
    List<Integer> processes = vm.processes();
    assertThat(ProcessHandle.of(processes.get(0)).orElseThrow().destroyForcibly()).isTrue();
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.CRASH);
    assertThat(end.message()).contains("supervisor was killed by signal 9");
    assertGone(processes);
  }

  @Test
  void panicIsReportedAsSuch() {
    VmEnd end = Machines.end(exec("vm", "echo c > /proc/sysrq-trigger", 64), PATIENCE);
    assertThat(end.reason()).as("%s", end).isEqualTo(Reason.PANIC);
    assertThat(end.message()).startsWith("the guest kernel panicked");
  }

  @Test
  void rebootIsAnEndOfItsOwn() {
    assertThat(Machines.end(exec("vm", "reboot -f", 64), PATIENCE).reason())
        .isEqualTo(Reason.REBOOT);
  }

  @Test
  void machinesRunAtTheSameTime() {
    VirtualMachine first = exec("first", "sleep 1; exit 1", 64);
    VirtualMachine second = exec("second", "sleep 1; exit 2", 64);
    awaitUser(first);
    awaitUser(second);
    assertThat(Machines.end(first, PATIENCE).result()).hasValue(1);
    assertThat(Machines.end(second, PATIENCE).result()).hasValue(2);
  }

  @Test
  void nameThatIsTakenIsRefusedAndTheFirstGoesOn() {
    VirtualMachine first = shell("vm");
    VirtualMachine second = machines.create("vm", Map.of());
    VmEnd end = Machines.end(second, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.START_FAILED);
    assertThat(end.message()).contains("named 'vm' already");
    assertThatThrownBy(second::start).isInstanceOf(IllegalStateException.class);
    awaitUser(first);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, (24L << 20) - 1, (3L << 30) + 1, Long.MAX_VALUE})
  void memoryOutOfRangeIsRefused(long memory) {
    VirtualMachine vm = machines.create("vm", Map.of(VmProperties.MEMORY, memory));
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.START_FAILED);
    assertThat(end.message()).contains("24M to 3G");
  }

  @Test
  void unknownPropertyIsRefusedByName() {
    VirtualMachine vm = machines.create("vm", Map.of("memroy", 1L << 28));
    assertThat(Machines.end(vm, PATIENCE).message()).contains("'memroy'").contains("memory");
  }

  @Test
  void channelWithoutADriverIsRefusedByType() {
    VirtualMachine vm =
        machines.start("vm", Map.of(VmProperties.CHANNELS, new String[] {"type=teleport"}));
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.START_FAILED);
    assertThat(end.message()).contains("teleport");
    assertThat(vm.processes()).isEmpty();
  }

  @Test
  void fileThatIsNoKernelIsRefused() throws IOException {
    Path text = Files.writeString(files.resolve("text"), "no kernel\n".repeat(100));
    VirtualMachine vm = machines.start("vm", Map.of(VmProperties.KERNEL, text.toString()));
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.START_FAILED);
    assertThat(end.message()).contains(text.toString()).contains("neither an ELF");
  }

  @Test
  void machineThatWasNeverStartedEndsAtOnce() {
    VirtualMachine vm = machines.create("vm", Map.of());
    assertThat(vm.state()).isEqualTo(VmState.CREATED);
    vm.stop(PATIENCE);
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.KILLED);
  }

  @Test
  void machinesThatEndedLeaveNothingBehind() throws IOException, InterruptedException {
    Machines.end(exec("vm", "true", 64), PATIENCE);
    machines.close();
    long descriptors = count("/proc/self/fd");
    long threads = count("/proc/self/task");
    for (int i = 0; i < 30; i++) {
      VirtualMachine vm = exec("vm" + i, "true", 64);
      if (i % 3 == 0) {
        LockSupport.parkNanos(i * 2_000_000L); // at any stage of its start
        vm.kill();
      }
      assertThat(Machines.end(vm, PATIENCE).reason()).isIn(Reason.KILLED, Reason.POWER_OFF);
      machines.close();
    }
    // Threads that are on their way out, and files that the JVM opens by itself.
    await(() -> count("/proc/self/task") <= threads + 5);
    await(() -> count("/proc/self/fd") <= descriptors + 5);
    // What was mapped is unmapped when nothing refers to it any more.
    for (int i = 0; i < 100 && mappings() > 4; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(mappings()).isLessThanOrEqualTo(4);
  }

  private static long mappings() throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.contains("plex86-ram")).count();
    }
  }

  private static long count(String directory) {
    String[] entries = new File(directory).list();
    return entries == null ? 0 : entries.length;
  }

  @Test
  void monitorThatStopsEndsItsMachines() throws BundleException {
    VirtualMachine vm = shell("vm");
    awaitUser(vm);
    List<Integer> processes = vm.processes();
    Bundle monitor = FrameworkUtil.getBundle(VirtualMachine.class);
    monitor.stop();
    try {
      assertThat(Machines.end(vm, Duration.ZERO).reason()).isEqualTo(Reason.KILLED);
      assertGone(processes);
    } finally {
      monitor.start();
    }
  }

  private VirtualMachine exec(String name, String command, int mebibytes) {
    return machines.exec(name, (long) mebibytes << 20, "", command);
  }

  private VirtualMachine shell(String name) {
    return shell(name, "shared");
  }

  private VirtualMachine shell(String name, String isolation) {
    return machines.start(
        name,
        Map.of(
            VmProperties.ISOLATION,
            isolation,
            VmProperties.MEMORY,
            64L << 20,
            VmProperties.CHANNELS,
            new String[] {"type=console,endpoint=null"}));
  }

  private static void awaitUser(VirtualMachine vm) {
    await(() -> vm.state() == VmState.ENDED || vm.counters().getOrDefault("boot_us", 0L) != 0);
    assertThat(vm.ended().toCompletableFuture().getNow(null)).isNull();
  }

  private static void assertGone(List<Integer> processes) {
    assertThat(processes).isNotEmpty();
    await(() -> processes.stream().noneMatch(pid -> ProcessHandle.of(pid).isPresent()));
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time is over").isLessThan(end);
      LockSupport.parkNanos(2_000_000);
    }
  }
}
