// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.fuzz;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Inputs that a fuzz test has been found to be worth: those that reach code that others do not, and
 * those that were once mistaken. A file of text for each test, an input in hexadecimal digits a
 * line; lines that begin with {@code #} are for people.
 */
public final class FuzzCorpus {
  /** Inputs that are kept, in bytes at most: what matters fits, and a file of text stays small. */
  private static final int MAX_BYTES = 512;

  private FuzzCorpus() {}

  /**
   * Prints a corpus of what a fuzzer has left.
   *
   * @param folders with the fuzzer's inputs, a file each
   */
  public static void main(String[] folders) throws IOException {
    for (String folder : folders) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        for (Path file : files.sorted().toList()) {
          if (Files.size(file) > 0 && Files.size(file) <= MAX_BYTES) {
            System.out.println(HexFormat.of().formatHex(Files.readAllBytes(file)));
          }
        }
      }
    }
  }

  /** The inputs of a test, by its class. */
  public static Stream<byte[]> of(Class<?> test) {
    String name = test.getSimpleName() + ".hex";
    try (InputStream file = FuzzCorpus.class.getResourceAsStream(name)) {
      if (file == null) {
        throw new AssertionError("there is no corpus " + name);
      }
      List<String> lines =
          new BufferedReader(new InputStreamReader(file, StandardCharsets.US_ASCII))
              .lines()
              .toList();
      return lines.stream()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(HexFormat.of()::parseHex);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
