// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TrendTest {
  @Test
  void comparesPartsOfTheTimeThatWasWatched() {
    Trend trend = new Trend();
    for (int second = 0; second <= 100; second++) {
      trend.add(second, second < 50 ? 1 : 3);
    }
    assertThat(trend.median(0, 0.4)).isEqualTo(1);
    assertThat(trend.median(0.8, 1)).isEqualTo(3);
    assertThat(trend.highest()).isEqualTo(3);
  }

  @Test
  void toleranceGrowsWithWhatThereIs() {
    double few = HostSampler.Metric.JVM_MEMORY.tolerated(100);
    assertThat(few).isEqualTo(21);
    assertThat(HostSampler.Metric.JVM_FILES.tolerated(100)).isEqualTo(4);
  }
}
