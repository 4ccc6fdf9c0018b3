// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels and RAM disks that cannot work, and guests that fail. */
class BadGuestIT {
  @TempDir Path folder;

  private static void isRefused(Path kernel, String... words) throws Exception {
    Plex86.run("run", "--kernel", kernel.toString(), "--exec", "true").isFailure(3, words);
  }

  @Test
  void kernelThatIsNotThere() throws Exception {
    isRefused(folder.resolve("none"), "none");
  }

  @Test
  void kernelThatIsText() throws Exception {
    isRefused(Files.writeString(folder.resolve("text"), "hello\n".repeat(1000)), "text");
  }

  @Test
  void kernelThatIsEmpty() throws Exception {
    isRefused(Files.createFile(folder.resolve("empty")), "empty");
  }

  @Test
  void kernelThatIsAProgramOfTheHost() throws Exception {
    isRefused(Path.of("/bin/sh").toRealPath(), "sh");
  }

  @Test
  void kernelThatIsADirectory() throws Exception {
    isRefused(folder, folder.getFileName().toString());
  }

  @Test
  void initialRamDiskThatDoesNotFit() throws Exception {
    Path initrd = folder.resolve("large");
    try (RandomAccessFile file = new RandomAccessFile(initrd.toFile(), "rw")) {
      file.setLength(64L << 20);
    }
    Plex86.run("run", "--memory", "48M", "--initrd", initrd.toString(), "--exec", "true")
        .isFailure(3, "large");
  }

  @Test
  void kernelThatFindsNoInit() throws Exception {
    var result = Plex86.run("run", "--append", "rdinit=/none init=/none", "--exec", "true");
    result.isFailure(4, "panic");
  }

  @Test
  void guestThatPanics() throws Exception {
    var result = Plex86.run("run", "--exec", "echo before; echo c > /proc/sysrq-trigger; sleep 30");
    assertThat(result.status()).as(result.errors()).isEqualTo(4);
    assertThat(result.errors().lines()).hasSize(1);
    assertThat(result.errors()).contains("panic");
  }

  @Test
  void guestThatUsesAllItsMemoryStaysAMachine() throws Exception {
    var result =
        Plex86.run(
            "run",
            "--memory",
            "64M",
            "--exec",
            "awk 'BEGIN { while (1) a[n++] = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" n }' 2>&-;"
                + " echo status $?");
    assertThat(result.text()).isEqualTo("status 137\n");
    assertThat(result.status()).isZero();
  }

  @Test
  void guestThatForksWithoutEndIsEndedByTheTimeout() throws Exception {
    Process process =
        Plex86.start(
            "run",
            "--memory",
            "64M",
            "--timeout",
            "8",
            "--exec",
            "f() { f | f & }; f 2>&-; while :; do :; done");
    var nexus = Plex86.nexusOf(process);
    assertThat(Plex86.finish(process, new byte[0]).status()).isEqualTo(124);
    Plex86.areGone(nexus);
  }
}
