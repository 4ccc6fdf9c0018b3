// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What one process holds of the host's memory and tables.
 *
 * @param anonymousKb resident memory of its own: RssAnon of /proc/PID/status
 * @param mappings number of VMAs: lines of /proc/PID/maps
 */
public record ProcessMemory(long anonymousKb, int mappings, int files, int threads) {

  /** Empty if the process has ended. */
  public static Optional<ProcessMemory> of(long pid) {
    Path process = Path.of("/proc", Long.toString(pid));
    long anonymous = 0;
    int threads = 0;
    try (Stream<Path> files = Files.list(process.resolve("fd"))) {
      for (String line : Files.readAllLines(process.resolve("status"))) {
        if (line.startsWith("RssAnon:")) {
          anonymous = number(line);
        } else if (line.startsWith("Threads:")) {
          threads = (int) number(line);
        }
      }
      // A zombie has no maps and no memory; it is found by the count of processes.
      return Optional.of(
          new ProcessMemory(
              anonymous, lines(process.resolve("maps")), (int) files.count(), threads));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static long number(String line) {
    return Long.parseLong(line.replaceAll("[^0-9]", ""));
  }

  private static int lines(Path file) throws IOException {
    int lines = 0;
    for (char c : new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).toCharArray()) {
      if (c == '\n') {
        lines++;
      }
    }
    return lines;
  }
}
