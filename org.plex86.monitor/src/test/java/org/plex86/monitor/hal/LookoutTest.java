// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LookoutTest {
  private static final long SHORT = 30_000;
  private static final long LONG = 5_000_000;

  private final Lookout lookout = new Lookout();

  @Test
  void doesNotLookAfterLongSleeps() {
    for (int i = 0; i < 100; i++) {
      assertThat(lookout.worth()).isZero();
      lookout.slept(LONG);
    }
  }

  @Test
  void looksForAsLongAsSomethingIsFound() {
    lookout.slept(SHORT);
    for (int i = 0; i < 100; i++) {
      assertThat(lookout.worth()).isEqualTo(Lookout.LOOK_NANOS);
      lookout.found();
    }
  }

  @Test
  void looksMoreAndMoreSeldomWhereNothingIsFound() {
    int looks = 0;
    for (int i = 0; i < 10_000; i++) {
      if (lookout.worth() > 0) {
        looks++;
        lookout.missed();
      } else {
        lookout.slept(SHORT);
      }
    }
    // 256 sleeps between two looks, after the first few
    assertThat(looks).isBetween(30, 60);
  }

  @Test
  void startsAnewWhenALookWasWorthIt() {
    for (int i = 0; i < 1_000; i++) {
      if (lookout.worth() > 0) {
        lookout.missed();
      } else {
        lookout.slept(SHORT);
      }
    }
    while (lookout.worth() == 0) {
      lookout.slept(SHORT);
    }
    lookout.found();
    lookout.missed();
    lookout.slept(SHORT);
    assertThat(lookout.worth()).isPositive();
  }
}
