// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.plex86.bench.host.Project;
import org.plex86.bench.storm.StormGoal;
import org.plex86.bench.storm.StormRun;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Tools;

/** Drivers replaced under load as often as wanted, all in one VM, so that nothing begins anew. */
final class SwapStorms {
  private static final int LEAST_SECONDS = 60;

  /** What goes through a stream of TCP each way meanwhile: 4 GiB in 1,000 swaps. */
  private static final double MEBIBYTES_A_SWAP = 4.096;

  /** What even a slow host needs for a swap; what is slower ends as a finding, not never. */
  private static final int MOST_SECONDS_A_SWAP = 2;

  private final Project project;
  private final Plex86 plex86;
  private final Findings findings;

  SwapStorms(Project project, Plex86 plex86, Findings findings) {
    this.project = project;
    this.plex86 = plex86;
    this.findings = findings;
  }

  /** Replaces the drivers of a type of channels {@code wanted} times or more. */
  void run(String type, int wanted) throws InterruptedException {
    int most = Math.max(LEAST_SECONDS, wanted * MOST_SECONDS_A_SWAP);
    int mebibytes = type.equals("net") ? (int) (wanted * MEBIBYTES_A_SWAP) : 0;
    System.err.printf("soak: %s-swap: %d swaps%n", type, wanted);
    StormRun run;
    try {
      Storms storms = new Storms(project, Tools.of(project));
      run = storms.run(plex86, type, new StormGoal(wanted, 0, mebibytes, most));
    } catch (IOException e) {
      findings.bad("%s-swap cannot run: %s".formatted(type, e.getMessage()));
      return;
    }
    run.problems().forEach(problem -> findings.bad(type + "-swap: " + problem));
    run.told().forEach(line -> findings.told(type + "-swap: " + line));
    findings.check(
        run.wrong() == 0,
        "%s-swap: %d checked, %d lost, doubled or wrong"
            .formatted(type, run.checked(), run.wrong()));
    findings.check(
        run.swaps() >= wanted,
        "%s-swap: %d swaps of the %d wanted %s".formatted(type, run.swaps(), wanted, run.ways()));
    if (mebibytes > 0) {
      findings.check(
          run.bytes() >= (long) mebibytes << 20,
          "%s-swap: %d MiB each way of the %d wanted"
              .formatted(type, run.bytes() >> 20, mebibytes));
    }
    findings.told(stalls(type, run.stalls()));
  }

  private static String stalls(String type, List<Double> stalls) {
    if (stalls.isEmpty()) {
      return type + "-swap: no stall was told";
    }
    List<Double> sorted = stalls.stream().sorted().toList();
    return String.format(
        Locale.ROOT,
        "%s-swap: stall p50 %.1f ms, p99 %.1f ms, longest %.1f ms",
        type,
        sorted.get(sorted.size() / 2),
        sorted.get((int) (sorted.size() * 0.99)),
        sorted.get(sorted.size() - 1));
  }
}
