// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NexusReportTest {
  @Test
  void linesOfTheSupervisorAreUnderstood() {
    assertThat(NexusReport.parse("space 12 34567")).contains(new NexusReport.Space(12, 34567));
    assertThat(NexusReport.parse("ready")).contains(new NexusReport.Ready());
    assertThat(NexusReport.parse("ended")).contains(new NexusReport.Ended());
    assertThat(NexusReport.parse("died 3 signal 9")).contains(new NexusReport.Died(3, "signal", 9));
    assertThat(NexusReport.parse("died 3 exit 1")).contains(new NexusReport.Died(3, "exit", 1));
    assertThat(NexusReport.parse("error cannot fork: error 11"))
        .contains(new NexusReport.Failed("cannot fork: error 11"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "space",
        "space 1 0",
        "space 1 -5",
        "space -1 5",
        "space 999 5",
        "space 1 99999999999",
        "died 3 signal",
        "died 3 hunger 9",
        "ready ",
        "readyended"
      })
  void anythingElseIsNot(String line) {
    assertThat(NexusReport.parse(line)).isEqualTo(Optional.empty());
  }

  @Test
  void endOfASupervisorThatSaidNothingIsKnownFromItsStatus() {
    assertThat(NexusEnd.of(null, 9, slot -> "?").message())
        .isEqualTo("the nexus supervisor was killed by signal 9");
    assertThat(NexusEnd.of(null, 1 << 8, slot -> "?").message())
        .isEqualTo("the nexus supervisor exited with status 1");
    assertThat(NexusEnd.of(null, 0, slot -> "?")).isEqualTo(new NexusEnd(false, ""));
  }

  @Test
  void deathOfASpaceIsNamed() {
    NexusReport died = new NexusReport.Died(2, "signal", 11);
    assertThat(NexusEnd.of(died, 0, slot -> "process 5 (space " + slot + ")"))
        .isEqualTo(new NexusEnd(false, "process 5 (space 2) was killed by signal 11"));
  }
}
