// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.GuestRam;

/** The loader of kernels, with a file and the memory of a guest for it. */
final class LoaderUnderTest implements AutoCloseable {
  private static final long RAM = 24 << 20;
  private final Path file = Files.createTempFile("kernel", "");
  private final GuestRam ram;

  LoaderUnderTest() throws IOException {
    try (Fd fd = Fd.sealedMemory("ram", RAM)) {
      ram = new GuestRam(fd, RAM);
    }
  }

  /** Has what a file holds loaded, and checks that it is, or that it is said what is wrong. */
  void loadsOrRefuses(byte[] image) throws IOException {
    Files.write(file, image);
    try {
      BootLoader.Start start = BootLoader.load(BootFiles.of(file, null, null, null), "", ram);
      assertThat(Integer.toUnsignedLong(start.entry())).isBetween(0x100000L, RAM);
    } catch (BootException e) {
      assertThat(e.getMessage()).contains(file.toString()).doesNotContain("\n");
    }
  }

  @Override
  public void close() throws IOException {
    Files.delete(file);
  }
}
