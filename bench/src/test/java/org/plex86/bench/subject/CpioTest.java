// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioTest {
  @TempDir Path directory;

  @Test
  void findsWhatWasWritten() throws IOException {
    Path archive = directory.resolve("a.cpio");
    byte[] odd = {1, 2, 3, 4, 5};
    try (Cpio cpio = new Cpio(archive)) {
      cpio.directory("bin");
      cpio.characterDevice("dev/console", 5, 1);
      cpio.program("bin/odd", odd);
      cpio.program("bin/b", new byte[8]);
    }
    CpioReader reader = new CpioReader(archive);
    assertThat(reader.content("bin/odd")).isEqualTo(odd);
    assertThat(reader.content("bin/b")).hasSize(8);
    assertThatThrownBy(() -> reader.content("bin/c")).hasMessageContaining("bin/c");
  }
}
