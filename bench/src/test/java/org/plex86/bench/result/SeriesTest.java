// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SeriesTest {
  private static Series of(double... values) {
    Series series = new Series();
    for (double value : values) {
      series.add(value);
    }
    return series;
  }

  @Test
  void medianIsTheMiddleOfTheSortedValues() {
    assertThat(of(9, 1, 5).median()).isEqualTo(5);
    assertThat(of(9, 1, 5, 6).median()).isEqualTo(5.5);
  }

  @Test
  void spreadIsLeastAndGreatest() {
    assertThat(of(9, 1, 5).min()).isEqualTo(1);
    assertThat(of(9, 1, 5).max()).isEqualTo(9);
  }

  @Test
  void ratioIsTakenRepetitionByRepetition() {
    assertThat(of(10, 40, 30).dividedBy(of(5, 10, 10)).values()).containsExactly(2.0, 4.0, 3.0);
  }

  @Test
  void ratioEndsWithTheShorterSeries() {
    assertThat(of(10, 40, 30).dividedBy(of(5)).values()).containsExactly(2.0);
  }

  @Test
  void nothingMeasuredHasNoMedian() {
    assertThatThrownBy(() -> of().median()).isInstanceOf(IllegalStateException.class);
  }
}
