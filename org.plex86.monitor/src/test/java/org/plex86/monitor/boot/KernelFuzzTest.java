// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;
import org.plex86.monitor.fuzz.FuzzCorpus;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.GuestRam;

/** Whatever a kernel's file holds, the loader says what is wrong with it or loads it. */
class KernelFuzzTest {
  private static final long RAM = 24 << 20;
  private static Path file;
  private static GuestRam ram;

  @BeforeAll
  static void setUp() throws IOException {
    file = Files.createTempFile("kernel", "");
    try (Fd fd = Fd.sealedMemory("ram", RAM)) {
      ram = new GuestRam(fd, RAM);
    }
  }

  @AfterAll
  static void tearDown() throws IOException {
    Files.delete(file);
  }

  static Stream<byte[]> seeds() {
    KernelBuilder kernel = new KernelBuilder();
    return Stream.concat(
        Stream.of(kernel.elf(), kernel.bzImage()), FuzzCorpus.of(KernelFuzzTest.class));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "6s")
  void isLoadedOrRefused(byte[] image) throws IOException {
    Files.write(file, image);
    try {
      BootLoader.Start start = BootLoader.load(BootFiles.of(file, null, null, null), "", ram);
      assertThat(Integer.toUnsignedLong(start.entry())).isBetween(0x100000L, RAM);
    } catch (BootException e) {
      assertThat(e.getMessage()).contains(file.toString()).doesNotContain("\n");
    }
  }
}
