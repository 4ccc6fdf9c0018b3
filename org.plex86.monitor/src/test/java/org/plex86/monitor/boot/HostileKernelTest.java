// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.GuestRam;

/** Whatever is wrong with a kernel file, the loader says so or loads it; nothing else happens. */
class HostileKernelTest {
  private static final long RAM = 24 << 20;
  private static Path file;
  private static GuestRam ram;

  @BeforeContainer
  static void setUp() throws IOException {
    file = Files.createTempFile("kernel", "");
    try (Fd fd = Fd.sealedMemory("ram", RAM)) {
      ram = new GuestRam(fd, RAM);
    }
  }

  @AfterContainer
  static void tearDown() throws IOException {
    Files.delete(file);
  }

  @Property(tries = 1000)
  void elfWithAnyHeaderBytesIsLoadedOrRefused(
      @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 0x21f) Integer> places,
      @ForAll byte value)
      throws IOException {
    byte[] elf = new KernelBuilder().elf();
    places.forEach(place -> elf[place] = value);
    assertLoadedOrRefused(elf);
  }

  @Property(tries = 300)
  void elfOfAnyLengthIsLoadedOrRefused(@ForAll @IntRange(max = 0x2010) int length)
      throws IOException {
    assertLoadedOrRefused(Arrays.copyOf(new KernelBuilder().elf(), length));
  }

  @Property(tries = 300)
  void bzImageWithAnyBytesIsLoadedOrRefused(
      @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 2900) Integer> places,
      @ForAll byte value,
      @ForAll @IntRange(max = 3000) int length)
      throws IOException {
    byte[] image = new KernelBuilder().bzImage();
    places.stream().filter(place -> place < image.length).forEach(place -> image[place] = value);
    assertLoadedOrRefused(Arrays.copyOf(image, Math.max(image.length - length / 8, 0)));
  }

  private static void assertLoadedOrRefused(byte[] image) throws IOException {
    Files.write(file, image);
    try {
      BootLoader.Start start = BootLoader.load(BootFiles.of(file, null, null, null), "", ram);
      assertThat(Integer.toUnsignedLong(start.entry())).isBetween(0x100000L, RAM);
    } catch (BootException e) {
      assertThat(e.getMessage()).contains(file.toString()).doesNotContain("\n");
    }
  }
}
