// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;

/**
 * A pause meets every process of the machine in a wait: the host's kernel goes on with those by a
 * system call of its own, restart_syscall, which the nexus's filter has to let through.
 */
class PauseTest {
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  void guestThatSleepsGoesOnAfterEachPause() throws InterruptedException {
    VirtualMachine vm =
        machines.start(
            "sleeper",
            Map.of(
                VmProperties.MEMORY,
                64L << 20,
                VmProperties.APPEND,
                "quiet plex86.exec",
                VmProperties.CHANNELS,
                new String[] {"type=console,quiet=on,exec=sleep 3; exit 7"}));
    for (int i = 0; i < 5; i++) {
      Thread.sleep(300);
      vm.pause();
      Thread.sleep(100);
      vm.resume();
    }
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.result()).as("%s", end).hasValue(7);
  }
}
