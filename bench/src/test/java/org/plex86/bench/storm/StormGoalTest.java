// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class StormGoalTest {
  private static final long MEBIBYTE = 1 << 20;

  @Test
  void isReachedWhenAllOfItIs() {
    StormGoal goal = new StormGoal(100, 20, 400, 200);
    long time = TimeUnit.SECONDS.toNanos(20);
    assertThat(goal.isReached(100, time, 400 * MEBIBYTE)).isTrue();
    assertThat(goal.isReached(99, time, 400 * MEBIBYTE)).isFalse();
    assertThat(goal.isReached(100, time - 1, 400 * MEBIBYTE)).isFalse();
    assertThat(goal.isReached(100, time, 400 * MEBIBYTE - 1)).isFalse();
  }

  @Test
  void swapsAreDueAsTheStreamGetsOn() {
    StormGoal goal = new StormGoal(100, 0, 400, 200);
    assertThat(goal.isDue(0, 0)).isTrue();
    assertThat(goal.isDue(50, 200 * MEBIBYTE)).isTrue();
    assertThat(goal.isDue(50, 200 * MEBIBYTE - 1)).isFalse();
    assertThat(goal.isDue(100, 0)).isTrue();
  }

  @Test
  void swapsOfAStormForATimeAreAlwaysDue() {
    assertThat(StormGoal.lasting(20).isDue(1000, 0)).isTrue();
  }
}
