// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ends that are not the command's: signals, deaths, the timeout. Nothing may be left behind. */
class EndIT {
  private Process process;
  private List<ProcessHandle> nexus;

  @BeforeEach
  void startAMachineThatStays() throws Exception {
    process = Plex86.start("run", "--exec", "echo up; sleep 600");
    // only from here on do all processes that there are stay: the nexus also probes the host in one
    assertThat(process.getInputStream().read()).isEqualTo('u');
    nexus = Plex86.nexusOf(process);
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    process.destroyForcibly().waitFor();
    Plex86.areGone(nexus);
  }

  private static void signal(String name, long pid) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).start().waitFor())
        .isZero();
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  void signalEndsTheMachine(String name, int status) throws Exception {
    signal(name, process.pid());
    assertThat(Plex86.finish(process, new byte[0]).status()).isEqualTo(status);
    Plex86.areGone(nexus);
  }

  @Test
  void deathOfTheMonitorTakesTheMachineAlong() throws Exception {
    signal("KILL", process.pid());
    process.waitFor();
    Plex86.areGone(nexus);
  }

  @Test
  void deathOfTheSupervisorIsACrash() throws Exception {
    signal("KILL", supervisor().pid());
    Plex86.finish(process, new byte[0]).isCrash();
  }

  @Test
  void deathOfASpaceIsACrash() throws Exception {
    long parent = supervisor().pid();
    ProcessHandle space = nexus.stream().filter(p -> p.pid() != parent).findFirst().orElseThrow();
    signal("KILL", space.pid());
    Plex86.finish(process, new byte[0]).isCrash();
  }

  private ProcessHandle supervisor() {
    return nexus.stream()
        .filter(p -> p.parent().filter(parent -> parent.pid() == process.pid()).isPresent())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void timeoutEndsTheMachineInTime() throws Exception {
    long start = System.nanoTime();
    Process limited = Plex86.start("run", "--timeout", "3", "--exec", "sleep 600");
    List<ProcessHandle> processes = Plex86.nexusOf(limited);
    Plex86.finish(limited, new byte[0]).isFailure(124, "--timeout");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isBetween(Duration.ofSeconds(3), Duration.ofSeconds(15));
    Plex86.areGone(processes);
  }
}
