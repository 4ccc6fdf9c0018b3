// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How busy the host's CPUs are, and how long processes wait for them: proc(5). One thread. */
final class HostCpus {
  /** cpuN user nice system idle iowait ... in ticks. */
  private static final Pattern CPU =
      Pattern.compile(
          "^cpu(\\d{1,4}) (\\d{1,18}) (\\d{1,18}) (\\d{1,18}) (\\d{1,18}) (\\d{1,18}) (.*)$",
          Pattern.MULTILINE);

  /** Nanoseconds on a CPU, nanoseconds waiting for one, time slices. */
  private static final Pattern SCHEDSTAT = Pattern.compile("\\d{1,18} (\\d{1,18}) \\d{1,18}\\s*");

  /** A sample of a CPU's time in ticks. */
  private record Ticks(long idle, long total) {}

  private final Path proc;
  private Map<Integer, Ticks> before = Map.of();
  private long sampled;
  private long interval;

  /**
   * Statistics of the kernel.
   *
   * @param proc where procfs is mounted
   */
  HostCpus(Path proc) {
    this.proc = proc;
  }

  /** Drops the last sample, so that the next interval starts anew. */
  void forget() {
    before = Map.of();
  }

  /** The share of the time since the last call that each CPU was idle; empty the first time. */
  Map<Integer, Double> idleShares() {
    long now = System.nanoTime();
    interval = now - sampled;
    sampled = now;
    Map<Integer, Ticks> after = sample();
    Map<Integer, Double> shares = new HashMap<>();
    for (Map.Entry<Integer, Ticks> cpu : after.entrySet()) {
      Ticks start = before.get(cpu.getKey());
      Ticks end = cpu.getValue();
      if (start != null && end.total() > start.total()) {
        shares.put(
            cpu.getKey(), (double) (end.idle() - start.idle()) / (end.total() - start.total()));
      }
    }
    before = after;
    return shares;
  }

  /** The time between the last two calls of {@link #idleShares}. */
  long intervalNanos() {
    return interval;
  }

  /** How long processes have waited for a CPU although they could have run, all together. */
  long waitedNanos(List<Integer> processes) {
    long nanos = 0;
    for (int pid : processes) {
      Matcher matcher =
          SCHEDSTAT.matcher(read(proc.resolve(Integer.toString(pid)).resolve("schedstat")));
      if (matcher.matches()) {
        nanos += Long.parseLong(matcher.group(1));
      }
    }
    return nanos;
  }

  private Map<Integer, Ticks> sample() {
    Map<Integer, Ticks> ticks = new HashMap<>();
    Matcher lines = CPU.matcher(read(proc.resolve("stat")));
    while (lines.find()) {
      long idle = Long.parseLong(lines.group(5)) + Long.parseLong(lines.group(6));
      long total = idle;
      for (int i = 2; i <= 4; i++) {
        total += Long.parseLong(lines.group(i));
      }
      for (String other : lines.group(7).split(" ", -1)) {
        total += Long.parseLong(other);
      }
      ticks.put(Integer.parseInt(lines.group(1)), new Ticks(idle, total));
    }
    return ticks;
  }

  /** Empty for a process that is gone. */
  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException gone) {
      return "";
    }
  }
}
