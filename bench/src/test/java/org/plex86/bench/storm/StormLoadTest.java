// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StormLoadTest {
  @TempDir Path folder;

  private long wrong(long last, String... lines) throws IOException {
    Path stream = folder.resolve("console");
    Files.writeString(stream, String.join("\r\n", lines) + "\r\n");
    return StormLoad.console(stream, 1).wrongLines(last);
  }

  @Test
  void countsNothingInWholeStreamWithOtherLinesBetween() throws IOException {
    assertThat(wrong(3, "booting", "n1", "n2", "kernel: something", "n3")).isZero();
  }

  @Test
  void countsLineThatIsMissingDoubledOrInDisorder() throws IOException {
    assertThat(wrong(3, "n1", "n3")).isPositive();
    assertThat(wrong(3, "n1", "n2", "n2", "n3")).isPositive();
    assertThat(wrong(3, "n1", "n3", "n2")).isPositive();
    assertThat(wrong(3, "n1", "n2")).isEqualTo(1);
    assertThat(wrong(3)).isEqualTo(3);
  }

  @Test
  void stormMixesTheWaysHalfAndHalfAndSomeByCrash() {
    assertThat(IntStream.range(0, 1000).mapToObj(Storm.Way::of).filter(Storm.Way.CRASH::equals))
        .hasSize(100);
    assertThat(IntStream.range(0, 1000).mapToObj(Storm.Way::of).filter(Storm.Way.UPDATE::equals))
        .hasSize(500);
  }
}
