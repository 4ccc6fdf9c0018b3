// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;
import org.plex86.monitor.fuzz.FuzzCorpus;

/** Whatever a kernel's file holds, the loader says what is wrong with it or loads it. */
class KernelFuzzTest {
  private static LoaderUnderTest loader;

  @BeforeAll
  static void setUp() throws IOException {
    loader = new LoaderUnderTest();
  }

  @AfterAll
  static void tearDown() throws IOException {
    loader.close();
  }

  static Stream<byte[]> seeds() {
    KernelBuilder kernel = new KernelBuilder();
    return Stream.concat(
        Stream.of(kernel.elf(), kernel.bzImage()), FuzzCorpus.of(KernelFuzzTest.class));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "6s")
  void isLoadedOrRefused(byte[] image) throws IOException {
    loader.loadsOrRefuses(image);
  }
}
