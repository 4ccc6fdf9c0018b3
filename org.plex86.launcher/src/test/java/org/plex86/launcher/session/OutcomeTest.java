// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmEnd.Reason;

class OutcomeTest {
  @ParameterizedTest(name = "{0}, result {1}, exec {2}: status {3}")
  @CsvSource({
    "POWER_OFF, , false, 0, ''",
    "POWER_OFF, 7, true, 7, ''",
    "POWER_OFF, , true, 0, the guest powered off before the command ended",
    "REBOOT, , false, 0, ''",
    "KILLED, , false, 0, m",
    "KILLED, 9, true, 9, ''",
    "KILLED, , true, 4, the virtual machine was stopped before the command ended",
    "PANIC, , false, 4, m",
    "PANIC, 0, true, 4, m",
    "CRASH, , true, 4, m",
    "START_FAILED, , true, 3, m",
  })
  void endBecomesTheDocumentedStatus(
      Reason reason, Integer result, boolean exec, int status, String message) {
    OptionalInt given = result == null ? OptionalInt.empty() : OptionalInt.of(result);
    assertThat(Outcome.of(new VmEnd(reason, given, "m"), exec))
        .isEqualTo(new Outcome(status, message));
  }

  @ParameterizedTest
  @CsvSource({"PANIC", "CRASH", "START_FAILED"})
  void failureAlwaysHasALine(Reason reason) {
    assertThat(Outcome.of(new VmEnd(reason, OptionalInt.empty(), ""), false).message())
        .isNotEmpty();
  }
}
