// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void showsMedianSpreadAndRatioToTheFirstSubject() {
    Results results = new Results();
    for (double value : new double[] {100, 300, 200}) {
      results.add("call", Results.Unit.NANOSECONDS, "native", value);
      results.add("call", Results.Unit.NANOSECONDS, "plex86", 2 * value);
    }
    results.add("idle", Results.Unit.PERCENT, "plex86", 1.5);
    assertThat(Table.of(results).toString().lines().map(line -> line.replaceAll(" +", " ")))
        .containsExactly(
            "median [min..max] native plex86 plex86/native",
            "call 200 ns [100 ns..300 ns] 400 ns [200 ns..600 ns] 2.00x",
            "idle - 1.50 % [1.50 %..1.50 %] -");
  }

  @Test
  void choosesTheUnitThatFits() {
    assertThat(Table.quantity(371.4, Results.Unit.NANOSECONDS)).isEqualTo("371 ns");
    assertThat(Table.quantity(63_000, Results.Unit.NANOSECONDS)).isEqualTo("63.0 us");
    assertThat(Table.quantity(58e6, Results.Unit.NANOSECONDS)).isEqualTo("58.0 ms");
    assertThat(Table.quantity(15.4e9, Results.Unit.NANOSECONDS)).isEqualTo("15.4 s");
  }
}
