// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
  private static final String MEMINFO =
      "MemTotal:       24683960 kB\nMemAvailable:       1024 kB\nSwapFree:           1024 kB\n";

  @TempDir Path directory;

  private long available(String meminfo, String limit) throws IOException {
    return new HostMemory(
            Files.writeString(directory.resolve("meminfo"), meminfo),
            Files.writeString(directory.resolve("limit"), limit))
        .available();
  }

  @Test
  void isWhatIsFreeTogetherWithSwap() throws IOException {
    assertThat(available(MEMINFO, "max\n")).isEqualTo(2L << 20);
  }

  @Test
  void isBoundedByTheControlGroup() throws IOException {
    assertThat(available(MEMINFO, "4096\n")).isEqualTo(4096);
  }

  @Test
  void isUnboundedWhereNothingTells() {
    Path no = directory.resolve("no");
    assertThat(new HostMemory(no, no).available()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void ofThisHostIsSomeMebibytes() {
    assertThat(new HostMemory().available()).isGreaterThan(1 << 20);
  }
}
