// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.result.Table;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Workload;

/**
 * What an operation costs a plex86 VM in events rather than in time: the counters that {@code
 * plex86 run --verbose} tells at its end, less those of a VM that does nothing.
 */
public final class Explain {
  private static final int OPERATIONS = 2_000;
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String COUNTERS = "nexus-start-to-first-user-us=";
  private static final Pattern COUNTER = Pattern.compile("([a-z_]+)=([0-9]+)");

  /** Fewer than this an operation is noise: ticks, the shell around it. */
  private static final double NOISE = 0.02;

  private Explain() {}

  /** A line for each measurement and VM: the counters for one operation, most first. */
  public static String of(Context context, Set<String> names)
      throws IOException, InterruptedException {
    StringBuilder lines = new StringBuilder();
    for (Subject subject : context.subjects()) {
      if (subject instanceof Plex86 plex86) {
        Plex86 telling = plex86.with("--verbose");
        Map<String, Long> nothing = counters(context, telling, "./micro --nothing\n");
        for (String name : names) {
          System.err.println("bench: explain " + name + " " + subject.name());
          int operations = CpuSuite.isCommand(name) ? 1 : OPERATIONS;
          Map<String, Long> counted = counters(context, telling, CpuSuite.once(name, operations));
          lines.append(
              "%s %s: %s%n".formatted(subject.name(), name, text(counted, nothing, operations)));
        }
      }
    }
    return lines.toString();
  }

  private static Map<String, Long> counters(Context context, Plex86 plex86, String script)
      throws IOException, InterruptedException {
    Map<String, Long> counters = new TreeMap<>();
    Workload workload =
        new Workload(script, List.of(context.project().programs().resolve("micro")));
    try (ChildProcess instance = plex86.start(workload, LIMIT)) {
      int status = instance.await();
      for (ChildProcess.Line line : instance.errors()) {
        int from = line.text().indexOf(COUNTERS);
        if (from >= 0) {
          Matcher counter = COUNTER.matcher(line.text().substring(from + COUNTERS.length()));
          while (counter.find()) {
            counters.put(counter.group(1), Long.parseLong(counter.group(2)));
          }
        }
      }
      if (status != 0 || counters.isEmpty()) {
        context
            .results()
            .note("%s: no counters: %s".formatted(plex86.name(), instance.lastWords()));
      }
    }
    return counters;
  }

  private static String text(Map<String, Long> counted, Map<String, Long> nothing, int operations) {
    List<String> parts = new ArrayList<>();
    counted.entrySet().stream()
        .map(
            counter ->
                Map.entry(
                    counter.getKey(),
                    (double) (counter.getValue() - nothing.getOrDefault(counter.getKey(), 0L))
                        / operations))
        .filter(counter -> counter.getValue() >= NOISE)
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .forEach(counter -> parts.add(counter.getKey() + " " + Table.number(counter.getValue())));
    return parts.isEmpty() ? "nothing" : String.join(", ", parts);
  }
}
