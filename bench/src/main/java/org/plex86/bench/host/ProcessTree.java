// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A process and all its descendants, as /proc (proc(5)) shows them now. */
public final class ProcessTree {
  /** Ticks of /proc/PID/stat in a second: USER_HZ, which is 100 on every x86 Linux. */
  public static final int TICKS_PER_SECOND = 100;

  private static final Path PROC = Path.of("/proc");

  /**
   * One process.
   *
   * @param cpuTicks time in user and kernel mode, its own and that of children it has waited for
   * @param startTicks when it started, in ticks after the boot; with the pid it names one process
   */
  public record Entry(
      long pid, long parent, String name, long cpuTicks, int threads, long startTicks) {

    /** Is it still there: a process of the same id that started at the same time. */
    public boolean exists() {
      return parse(PROC.resolve(Long.toString(pid)))
          .filter(now -> now.startTicks == startTicks)
          .isPresent();
    }
  }

  private ProcessTree() {}

  /**
   * The processes under and including {@code root}, zombies included (they hold a process id and
   * still tell their CPU time); empty if it is gone.
   */
  public static List<Entry> of(long root) throws IOException {
    Map<Long, Entry> all = new HashMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path entry : entries) {
        parse(entry).ifPresent(process -> all.put(process.pid(), process));
      }
    }
    List<Entry> tree = new ArrayList<>();
    Deque<Long> open = new ArrayDeque<>(List.of(root));
    while (!open.isEmpty()) {
      long pid = open.remove();
      Entry process = all.get(pid);
      if (process != null) {
        tree.add(process);
        all.values().stream().filter(p -> p.parent() == pid).forEach(p -> open.add(p.pid()));
      }
    }
    return tree;
  }

  /**
   * CPU time of the whole tree in ticks. A process that ends and is waited for stays in the sum, in
   * its parent's part.
   */
  public static long cpuTicks(long root) throws IOException {
    return of(root).stream().mapToLong(Entry::cpuTicks).sum();
  }

  private static Optional<Entry> parse(Path directory) {
    String stat;
    try {
      stat = Files.readString(directory.resolve("stat"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      // It ended between the listing and the reading.
      return Optional.empty();
    }
    int open = stat.indexOf('(');
    int close = stat.lastIndexOf(')');
    // proc(5): state is field 3, ppid 4, utime 14, stime 15, cutime 16, cstime 17,
    // num_threads 20, starttime 22
    String[] field = stat.substring(close + 2).split(" ");
    long ticks = 0;
    for (int i = 14; i <= 17; i++) {
      ticks += Long.parseLong(field[i - 3]);
    }
    return Optional.of(
        new Entry(
            Long.parseLong(stat.substring(0, open - 1)),
            Long.parseLong(field[1]),
            stat.substring(open + 1, close),
            ticks,
            Integer.parseInt(field[17]),
            Long.parseLong(field[19])));
  }
}
