// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The files in memory (memfd_create(2)) that processes have open: guest RAM above all. What they
 * hold is asked of the files themselves, as the processes' own figures (Pss_Shmem) are taken one
 * after the other, and their sum counts twice what changes hands meanwhile.
 */
public final class MemoryFiles {
  private static final String LINK = "/memfd:";
  private static final int BLOCKS_PER_KB = 2;

  private MemoryFiles() {}

  /** Memory that the files hold, each counted once, in kB; files that are closed meanwhile as 0. */
  public static long residentKb(List<Long> pids) throws IOException {
    List<String> command = new ArrayList<>(List.of("stat", "-L", "-c", "%i %b"));
    for (long pid : pids) {
      addOpenFiles(pid, command);
    }
    Process stat =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    Set<String> inodes = new HashSet<>();
    long blocks = 0;
    for (String line : output.lines().toList()) {
      String[] fields = line.split(" ", 2);
      if (inodes.add(fields[0])) {
        blocks += Long.parseLong(fields[1]);
      }
    }
    return blocks / BLOCKS_PER_KB;
  }

  private static void addOpenFiles(long pid, List<String> files) {
    Path folder = Path.of("/proc", Long.toString(pid), "fd");
    try (DirectoryStream<Path> open = Files.newDirectoryStream(folder)) {
      for (Path file : open) {
        if (Files.readSymbolicLink(file).toString().startsWith(LINK)) {
          files.add(file.toString());
        }
      }
    } catch (IOException e) {
      return; // the process, or that descriptor of it, is gone
    }
  }
}
