// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ClockCheckTest {
  private static final long SECOND = 1_000_000_000;

  private long late;

  /**
   * Lines of a guest whose clock runs at {@code rate} and that has lost some expirations, jiffies.
   */
  private String report(int seconds, double rate, long lostAtTheEnd, long lostJiffies) {
    ClockCheck check = new ClockCheck();
    Findings findings = new Findings();
    for (int i = 1; i <= seconds; i++) {
      long guest = (long) (i * SECOND * rate);
      long due = guest / 10_000_000;
      boolean end = i == seconds;
      // delivered after 0.1 to 2 ms
      long host = i * SECOND + 100_000 + (i * 7919L % 20) * 100_000;
      check.line(
          host + late,
          "tick %d %d %d %d 50000"
              .formatted(
                  guest,
                  System.currentTimeMillis() * 1_000_000,
                  due - (end ? lostAtTheEnd : 0),
                  due + 77 - (end ? lostJiffies : 0)));
    }
    check.report(findings);
    return findings.toString();
  }

  @Test
  void acceptsAClockThatKeepsTimeWithLinesThatAreDelayed() {
    assertThat(report(120, 1, 0, 0)).doesNotContain("WRONG");
  }

  @Test
  void findsAClockThatDrifts() {
    assertThat(report(600, 1.0002, 0, 0)).contains("WRONG clock", "+200");
  }

  @Test
  void findsExpirationsThatWereLost() {
    assertThat(report(120, 1, 5, 0)).contains("WRONG timer").contains("5.0 lost");
  }

  @Test
  void findsTicksThatWereLost() {
    assertThat(report(120, 1, 0, 10)).contains("WRONG ticks");
  }

  @Test
  void saysWhenTheGuestsTimerDidNotRun() {
    assertThat(report(3, 1, 0, 0)).contains("WRONG clock: only 3 lines");
  }
}
