// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.plex86.bench.host.ChildProcess.Line;

class CpuSuiteTest {
  private static final long SECOND = 1_000_000_000;

  @Test
  void findsAClockThatGoesWrong() {
    List<Line> output =
        List.of(
            new Line(5 * SECOND, "clock 1000000000"),
            new Line(6 * SECOND, "@ getppid_vdso 300.5 ns"),
            new Line(15 * SECOND, "clock 13000000000"));
    assertThat(CpuSuite.clockError(output)).isCloseTo(0.2, within(1e-9));
  }

  @Test
  void doesNotJudgeAClockByAMoment() {
    List<Line> output =
        List.of(new Line(0, "clock 1000000000"), new Line(SECOND, "clock 1500000000"));
    assertThat(CpuSuite.clockError(output)).isZero();
  }
}
