// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.plex86.bench.host.ChildProcess.Line;

class GuestLoadTest {
  private final GuestLoad load = new GuestLoad(new ClockCheck());

  private void lines(String... lines) {
    for (String line : lines) {
      load.line(new Line(0, line));
    }
  }

  @Test
  void addsUpTheChecksOfAKind() {
    lines("round 1", "@ float 10 0", "@ float 5 0", "@ forks 7 0", "round 2");
    assertThat(load.checks()).containsEntry("float", 15L).containsEntry("forks", 7L);
    assertThat(load.round()).isEqualTo(2);
    assertThat(load.failed()).isZero();
  }

  @Test
  void keepsWhatWentWrong() {
    lines("FAIL float xmm registers: got 1, wanted 0", "error fork 12", "@ float 10 1");
    assertThat(load.failed()).isEqualTo(2);
    assertThat(load.failures())
        .containsExactly("FAIL float xmm registers: got 1, wanted 0", "error fork 12");
  }

  @Test
  void isDoneOnlyWhenTheGuestSaysSo() {
    assertThat(load.done()).isFalse();
    lines("done 6");
    assertThat(load.done()).isTrue();
  }
}
