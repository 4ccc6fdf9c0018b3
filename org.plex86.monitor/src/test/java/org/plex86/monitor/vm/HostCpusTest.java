// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostCpusTest {
  @TempDir Path proc;

  @Test
  void idleShareIsThatOfTheTimeBetweenTwoSamples() throws IOException {
    HostCpus cpus = new HostCpus(proc);
    Files.writeString(
        proc.resolve("stat"),
        """
        cpu  20 0 20 160 0 0 0 0 0 0
        cpu0 10 0 10 80 0 0 0 0 0 0
        cpu1 10 0 10 80 0 0 0 0 0 0
        """);
    assertThat(cpus.idleShares()).isEmpty();
    Files.writeString(
        proc.resolve("stat"),
        """
        cpu  20 0 20 160 0 0 0 0 0 0
        cpu0 10 0 10 155 5 0 0 20 0 0
        cpu1 110 0 10 80 0 0 0 0 0 0
        intr 1 2 3
        """);
    assertThat(cpus.idleShares()).isEqualTo(Map.of(0, 0.8, 1, 0.0));
  }

  @Test
  void forgottenSampleIsNotComparedWith() throws IOException {
    HostCpus cpus = new HostCpus(proc);
    Files.writeString(proc.resolve("stat"), "cpu0 10 0 10 80 0 0 0 0 0 0\n");
    cpus.idleShares();
    cpus.forget();
    Files.writeString(proc.resolve("stat"), "cpu0 10 0 10 90 0 0 0 0 0 0\n");
    assertThat(cpus.idleShares()).isEmpty();
  }

  @Test
  void waitsOfProcessesAreAddedAndThoseOfTheGoneAreNone() throws IOException {
    for (int pid : new int[] {3, 4}) {
      Files.createDirectories(proc.resolve("" + pid));
      Files.writeString(proc.resolve(pid + "/schedstat"), "500 " + pid * 100 + " 7\n");
    }
    assertThat(new HostCpus(proc).waitedNanos(List.of(3, 4, 5))).isEqualTo(700);
  }

  @Test
  void thisHostHasCpusAndThisProcessAnEntry() throws InterruptedException {
    HostCpus cpus = new HostCpus(Path.of("/proc"));
    cpus.idleShares();
    Thread.sleep(50);
    assertThat(cpus.idleShares())
        .isNotEmpty()
        .allSatisfy((cpu, idle) -> assertThat(idle).isBetween(0.0, 1.0));
    assertThat(cpus.intervalNanos()).isBetween(50_000_000L, 60_000_000_000L);
  }
}
