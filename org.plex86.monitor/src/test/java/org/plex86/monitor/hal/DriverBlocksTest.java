// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DriverBlocksTest {
  private final DriverBlocks blocks = new DriverBlocks();
  private final DriverService driver = new EchoDriver().service(1, 0, "1.0.0");
  private final DriverService other = new EchoDriver().service(2, 0, "1.0.0");

  private static long millis(long count) {
    return TimeUnit.MILLISECONDS.toNanos(count);
  }

  @Test
  void pausesLongerAfterEachCrashAndThenGivesUp() {
    long now = 0;
    for (long pause : new long[] {10, 100, 1000, 10_000}) {
      blocks.crashed(driver, "crash", now);
      assertThat(blocks.untilDue(now)).isEqualTo(millis(pause));
      blocks.unblockDue(now + millis(pause) - 1);
      assertThat(blocks.isBlocked(driver)).isTrue();
      now += millis(pause);
      blocks.unblockDue(now);
      assertThat(blocks.isBlocked(driver)).isFalse();
    }
    blocks.crashed(driver, "the last", now);
    assertThat(blocks.untilDue(now)).isEqualTo(Long.MAX_VALUE);
    assertThat(blocks.reason(driver)).isEqualTo("the last");
  }

  @Test
  void forgetsCrashesAfterMinuteWithoutOne() {
    blocks.crashed(driver, "crash", 0);
    blocks.crashed(driver, "crash", millis(1));
    long later = millis(60_002);
    blocks.crashed(driver, "crash", later);
    assertThat(blocks.untilDue(later)).isEqualTo(millis(10));
  }

  @Test
  void refusalLastsUntilItIsCleared() {
    blocks.refuse(driver, "lacks a feature");
    blocks.unblockDue(Long.MAX_VALUE / 2);
    assertThat(blocks.isBlocked(driver)).isTrue();
    assertThat(blocks.isBlocked(other)).isFalse();
    blocks.clearRefusals();
    assertThat(blocks.isBlocked(driver)).isFalse();
  }

  @Test
  void failureToOpenIsTriedAgainAndForgottenWithItsDriver() {
    blocks.failedToOpen(driver, "busy", 0);
    blocks.failedToOpen(other, "busy", millis(500));
    assertThat(blocks.untilDue(millis(500))).isEqualTo(millis(500));
    blocks.retain(List.of(other));
    assertThat(blocks.isBlocked(driver)).isFalse();
    assertThat(blocks.untilDue(millis(500))).isEqualTo(millis(1000));
  }
}
