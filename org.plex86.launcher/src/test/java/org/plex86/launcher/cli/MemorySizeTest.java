// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemorySizeTest {
  @ParameterizedTest
  @CsvSource({
    "24M, 25165824",
    "24m, 25165824",
    "3G, 3221225472",
    "262144K, 268435456",
    "268435456, 268435456",
    "3221225472, 3221225472"
  })
  void unitsArePowersOf1024(String text, long bytes) throws UsageException {
    assertThat(MemorySize.parse("--memory", text)).isEqualTo(bytes);
  }

  @Property
  void everyNumberOfBytesIsTakenAsItIsOrRefused(@ForAll @LongRange(min = 0) long bytes)
      throws UsageException {
    boolean good = bytes >= MemorySize.MIN && bytes <= MemorySize.MAX && bytes % 4096 == 0;
    if (good) {
      assertThat(MemorySize.parse("--memory", Long.toString(bytes))).isEqualTo(bytes);
    } else {
      assertThatThrownBy(() -> MemorySize.parse("--memory", Long.toString(bytes)))
          .isInstanceOf(UsageException.class);
    }
  }

  @Property
  void noTextMakesItOverflow(@ForAll String text) {
    try {
      assertThat(MemorySize.parse("--memory", text)).isBetween(MemorySize.MIN, MemorySize.MAX);
    } catch (UsageException e) {
      assertThat(e).hasMessageStartingWith("--memory: ");
    }
  }
}
