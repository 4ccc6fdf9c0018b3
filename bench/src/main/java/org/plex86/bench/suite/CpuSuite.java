// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Workload;

/** The same i386 programs on every subject: system calls, faults, processes, computing, shells. */
public final class CpuSuite implements Suite {
  private static final Duration LIMIT = Duration.ofMinutes(6);
  private static final Pattern VALUE = Pattern.compile("@ (\\S+) ([0-9.]+) ns");
  private static final Pattern CLOCK = Pattern.compile("clock ([0-9]+)");

  /** How far a subject's clock may be off the host's: a run beyond it is not counted. */
  private static final double CLOCK_TOLERANCE = 0.02;

  private static final double CLOCK_SPAN_NANOS = 2e9;

  /** What bench/programs/micro.c measures, in its order. */
  private static final List<String> MICRO =
      List.of(
          "getppid_vdso",
          "getppid_int80",
          "clock_gettime",
          "signal_self",
          "fault_anon",
          "fault_file",
          "fault_cow",
          "mmap_munmap",
          "mprotect_pair",
          "fork_exit",
          "fork_exec",
          "vfork_exec",
          "pipe_round_trip",
          "futex_round_trip",
          "switch_2_0k",
          "switch_2_64k",
          "switch_16_0k",
          "switch_16_64k",
          "file_io_4k",
          "copy_64k",
          "sha256_64k",
          "compress_64k",
          "bodies_100",
          "interpreter");

  /** Command lines whose wall time is taken; all by the same busybox. */
  private static final Map<String, String> TIMED = timed();

  private final Set<String> wanted;

  private CpuSuite(Set<String> wanted) {
    this.wanted = wanted;
  }

  public static CpuSuite whole() {
    return of(names());
  }

  /** Only the measurements named, which must be of {@link #names}. */
  public static CpuSuite of(Set<String> names) {
    return new CpuSuite(new LinkedHashSet<>(names));
  }

  public static Set<String> names() {
    Set<String> all = new LinkedHashSet<>(MICRO);
    all.addAll(TIMED.keySet());
    return all;
  }

  private static Map<String, String> timed() {
    Map<String, String> timed = new LinkedHashMap<>();
    timed.put("shell_loop", "i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done");
    timed.put("exec_500", "i=0; while [ $i -lt 500 ]; do ./busybox true; i=$((i+1)); done");
    timed.put("dd_200000", "./busybox dd if=/dev/zero of=/dev/null bs=1 count=200000 2>/dev/null");
    timed.put(
        "dd_50m_md5sum",
        "./busybox dd if=/dev/zero bs=1M count=50 2>/dev/null | ./busybox md5sum >/dev/null");
    timed.put(
        "gzip_tree",
        "./busybox cp busybox t1; ./busybox cp busybox t2; ./busybox tar -cf - t1 t2"
            + " | ./busybox gzip | ./busybox gunzip | ./busybox tar -tf - >/dev/null");
    return timed;
  }

  /**
   * A script that does what {@code name} measures, {@code operations} times for a micro-benchmark
   * and once for a command.
   */
  static String once(String name, int operations) {
    return TIMED.containsKey(name)
        ? "./micro --time %s ./busybox sh -c '%s'%n".formatted(name, TIMED.get(name))
        : "./micro --run %s %d%n".formatted(name, operations);
  }

  /** Whether {@code name} is a command, whose value is that of one run. */
  static boolean isCommand(String name) {
    return TIMED.containsKey(name);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    Path programs = context.project().programs();
    Workload workload = new Workload(script(), List.of(programs.resolve("micro")));
    for (int repetition = 0; repetition < context.repetitions(); repetition++) {
      for (Subject subject : context.subjects()) {
        context.progress(name(), repetition, subject);
        try (ChildProcess instance = subject.start(workload, LIMIT)) {
          int status = subject.await(instance);
          if (status != 0) {
            context
                .results()
                .note(
                    "%s: the programs ended with status %d: %s"
                        .formatted(subject.name(), status, instance.lastWords()));
          }
          record(context.results(), subject.name(), instance.output());
        }
      }
    }
  }

  private String script() {
    StringBuilder script = new StringBuilder("set -e\n./micro --clock\n");
    String micro = String.join(" ", MICRO.stream().filter(wanted::contains).toList());
    if (!micro.isEmpty()) {
      script.append("./micro ").append(micro).append('\n');
    }
    TIMED.forEach(
        (name, command) -> {
          if (wanted.contains(name)) {
            script.append("./micro --time %s ./busybox sh -c '%s'%n".formatted(name, command));
          }
        });
    return script.append("./micro --clock\n").toString();
  }

  private static void record(Results results, String subject, List<ChildProcess.Line> output) {
    double off = clockError(output);
    if (Math.abs(off) > CLOCK_TOLERANCE) {
      results.note(
          "%s: a run is left out: its clock went %+.1f %% against the host's"
              .formatted(subject, off * 100));
      return;
    }
    for (ChildProcess.Line line : output) {
      Matcher value = VALUE.matcher(line.text().strip());
      if (value.matches()) {
        results.add(
            value.group(1), Results.Unit.NANOSECONDS, subject, Double.parseDouble(value.group(2)));
      }
    }
  }

  /**
   * How much faster the subject's clock went than the host's between its first and last telling.
   */
  static double clockError(List<ChildProcess.Line> output) {
    List<ChildProcess.Line> told =
        output.stream().filter(line -> CLOCK.matcher(line.text().strip()).matches()).toList();
    if (told.size() < 2) {
      return 0;
    }
    ChildProcess.Line first = told.get(0);
    ChildProcess.Line last = told.get(told.size() - 1);
    double host = (double) (last.nanos() - first.nanos());
    double subject = (double) (clock(last) - clock(first));
    // What a line takes on its way weighs too much in a short run.
    return host < CLOCK_SPAN_NANOS ? 0 : subject / host - 1;
  }

  private static long clock(ChildProcess.Line line) {
    Matcher clock = CLOCK.matcher(line.text().strip());
    return clock.matches() ? Long.parseLong(clock.group(1)) : 0;
  }
}
