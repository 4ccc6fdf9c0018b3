// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LineBudgetTest {
  @Test
  void holdsLinesBackAndSaysSoAMinuteLater() {
    LineBudget budget = new LineBudget();
    for (int i = 0; i < 10; i++) {
      assertThat(budget.admit("line", 5)).isEqualTo("line");
    }
    assertThat(budget.admit("line", 6)).isNull();
    assertThat(budget.admit("line", 7)).isNull();
    assertThat(budget.admit("line", 5 + TimeUnit.MINUTES.toNanos(1)))
        .isEqualTo("line (2 lines like this held back)");
  }

  @Test
  void earlyOutputIsBoundedAndSaysWhatIsLost() {
    EarlyOutput early = new EarlyOutput();
    assertThat(early.add(new byte[EarlyOutput.BOUND])).isTrue();
    assertThat(early.add(new byte[3])).isFalse();
    assertThat(new String(early.take(), StandardCharsets.US_ASCII)).endsWith("\n[3 bytes lost]\n");
    assertThat(early.hasText()).isFalse();
  }
}
