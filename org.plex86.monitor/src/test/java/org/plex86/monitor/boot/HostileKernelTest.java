// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Whatever is wrong with a kernel file, the loader says so or loads it; nothing else happens. */
class HostileKernelTest {
  private static LoaderUnderTest loader;

  @BeforeContainer
  static void setUp() throws IOException {
    loader = new LoaderUnderTest();
  }

  @AfterContainer
  static void tearDown() throws IOException {
    loader.close();
  }

  @Property(tries = 1000)
  void elfWithAnyHeaderBytesIsLoadedOrRefused(
      @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 0x21f) Integer> places,
      @ForAll byte value)
      throws IOException {
    byte[] elf = new KernelBuilder().elf();
    places.forEach(place -> elf[place] = value);
    loader.loadsOrRefuses(elf);
  }

  @Property(tries = 300)
  void elfOfAnyLengthIsLoadedOrRefused(@ForAll @IntRange(max = 0x2010) int length)
      throws IOException {
    loader.loadsOrRefuses(Arrays.copyOf(new KernelBuilder().elf(), length));
  }

  @Property(tries = 300)
  void bzImageWithAnyBytesIsLoadedOrRefused(
      @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 2900) Integer> places,
      @ForAll byte value,
      @ForAll @IntRange(max = 3000) int length)
      throws IOException {
    byte[] image = new KernelBuilder().bzImage();
    places.stream().filter(place -> place < image.length).forEach(place -> image[place] = value);
    loader.loadsOrRefuses(Arrays.copyOf(image, Math.max(image.length - length / 8, 0)));
  }
}
