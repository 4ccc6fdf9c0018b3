// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class ProcessTreeTest {
  private static final long SELF = ProcessHandle.current().pid();

  @Test
  void countsCpuTimeThatIsSpent() throws IOException {
    long before = ProcessTree.cpuTicks(SELF);
    long end = System.nanoTime() + 300_000_000L;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertThat(ProcessTree.cpuTicks(SELF) - before).isGreaterThanOrEqualTo(5);
  }

  @Test
  void keepsTheCpuTimeOfAChildThatHasEnded() throws IOException, InterruptedException {
    long before = ProcessTree.cpuTicks(SELF);
    Process child = new ProcessBuilder("timeout", "0.5", "sh", "-c", "while :; do :; done").start();
    child.waitFor();
    assertThat(ProcessTree.cpuTicks(SELF) - before).isGreaterThanOrEqualTo(5);
  }

  @Test
  void thereIsNothingUnderAProcessThatIsGone() throws IOException {
    assertThat(ProcessTree.of(Integer.MAX_VALUE)).isEmpty();
  }

  @Test
  void seesWhatAProcessHolds() {
    ProcessMemory memory = ProcessMemory.of(SELF).orElseThrow();
    assertThat(memory.anonymousKb()).isPositive();
    assertThat(memory.mappings()).isGreaterThan(10);
    assertThat(memory.files()).isGreaterThan(3);
    assertThat(memory.threads()).isGreaterThan(3);
    assertThat(ProcessMemory.of(Integer.MAX_VALUE)).isEmpty();
  }
}
