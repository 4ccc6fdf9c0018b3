// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.VmProperties;

/**
 * A guest kernel that attacks (src/test/native/hostile.c): whatever it tries ends that machine at
 * most. Each attempt runs beside a second machine, which must not notice.
 */
@ParameterizedClass
@ValueSource(strings = {"strict", "shared"})
class HostileGuestTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Parameter String isolation;

  @TempDir Path files;
  private final Machines machines = new Machines();
  private VirtualMachine bystander;
  private Path kernel;

  @BeforeEach
  void startBystander() throws IOException {
    kernel = files.resolve("hostile");
    try (InputStream in = HostileGuestTest.class.getResourceAsStream("/native/hostile")) {
      assertThat(in).as("the hostile kernel in the test bundle").isNotNull();
      Files.copy(in, kernel);
    }
    bystander = attack("bystander", "spin");
  }

  @AfterEach
  void bystanderGoesOnAndProcessesAreGone() throws IOException {
    assertThat(bystander.ended().toCompletableFuture()).isNotDone();
    bystander.kill();
    assertThat(Machines.end(bystander, PATIENCE).reason()).isEqualTo(Reason.KILLED);
    machines.close();
  }

  @ParameterizedTest
  @CsvSource({
    "triple-fault, CRASH, is outside the guest's IDT",
    "bad-stack, CRASH, eip",
    "unknown-end, CRASH, unknown reason",
    "wild-descriptor-tables, CRASH, is outside the guest's IDT",
    "wild-page-tables, CRASH, is outside the guest's IDT",
    "host-syscall-int80, CRASH, exception 128",
    "host-syscall-64, CRASH, exception 6",
    "host-syscall-in-nexus, CRASH, signal 31",
    "garbage-registers, POWER_OFF, ''",
    "garbage-rings, POWER_OFF, ''",
    "port-storm, POWER_OFF, ''",
    "long-log, POWER_OFF, ''",
    "wild-gates, POWER_OFF, ''",
    "touch-nothing, POWER_OFF, ''",
    "halt-storm, POWER_OFF, ''",
  })
  void attemptEndsItsOwnMachineAtMost(String attempt, Reason reason, String message) {
    VmEnd end = Machines.end(attack("attacker", attempt), PATIENCE);
    assertThat(end.reason()).as("%s", end).isEqualTo(reason);
    assertThat(end.message()).contains(message).doesNotContain("\n");
  }

  @Test
  void noiseInTheControlMemoryLeavesTheMonitorAbleToEndTheMachine() throws InterruptedException {
    VirtualMachine attacker = attack("attacker", "garbage-control-page");
    Thread.sleep(2000); // the noise goes on as long as the machine does
    attacker.kill();
    assertThat(Machines.end(attacker, PATIENCE).reason()).isIn(Reason.KILLED, Reason.CRASH);
  }

  @Test
  void guestThatSpinsWithInterruptsOffIsStoppedWhenPatienceRunsOut() {
    VirtualMachine spinning = attack("attacker", "spin");
    spinning.stop(Duration.ofMillis(300));
    assertThat(Machines.end(spinning, PATIENCE).reason()).isEqualTo(Reason.KILLED);
  }

  @Test
  void endedMachineLeavesNoProcess() {
    VirtualMachine attacker = attack("attacker", "spin");
    attacker.pause();
    attacker.resume();
    await(() -> attacker.processes().size() > 2); // start() does not wait for them
    var processes = attacker.processes();
    attacker.kill();
    Machines.end(attacker, PATIENCE);
    assertThat(processes)
        .allSatisfy(pid -> assertThat(ProcessHandle.of(pid)).isEqualTo(Optional.empty()));
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("time is over").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private VirtualMachine attack(String name, String attempt) {
    return machines.start(
        name,
        Map.of(
            VmProperties.KERNEL,
            kernel.toString(),
            VmProperties.MEMORY,
            32L << 20,
            VmProperties.APPEND,
            "hostile=" + attempt,
            VmProperties.ISOLATION,
            isolation,
            VmProperties.CHANNELS,
            new String[] {"type=console,name=console0,endpoint=null"}));
  }
}
