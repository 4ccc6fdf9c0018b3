// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryFilesTest {
  /** Makes a file of 3 MiB in memory that two processes have open twice, says so and stays. */
  private static final String HOLDER =
      """
      #define _GNU_SOURCE
      #include <sys/mman.h>
      #include <unistd.h>
      int main(void)
      {
        static char block[3 << 20];
        int file = memfd_create("test", 0);
        if (write(file, block, sizeof block) != sizeof block || dup(file) < 0)
          return 1;
        if (fork() == 0)
          pause();
        write(1, "ready\\n", 6);
        pause();
      }
      """;

  @TempDir Path folder;

  @Test
  void countsAFileOnceThatIsOpenTwiceInTwoProcesses() throws IOException, InterruptedException {
    Path source = Files.writeString(folder.resolve("holder.c"), HOLDER);
    Path program = folder.resolve("holder");
    Process compiler =
        new ProcessBuilder("gcc", "-w", "-o", program.toString(), source.toString())
            .inheritIO()
            .start();
    assertThat(compiler.waitFor()).isZero();
    Process holder = new ProcessBuilder(program.toString()).start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("ready");
      List<Long> pids = ProcessTree.of(holder.pid()).stream().map(ProcessTree.Entry::pid).toList();
      assertThat(MemoryFiles.residentKb(pids)).isEqualTo(3 << 10);
    } finally {
      holder.descendants().forEach(ProcessHandle::destroyForcibly);
      holder.destroyForcibly();
      holder.waitFor(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void findsNothingInAProcessThatIsGone() throws IOException {
    assertThat(MemoryFiles.residentKb(List.of((long) Integer.MAX_VALUE))).isZero();
  }
}
