// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.plex86.bench.host.Project;
import org.plex86.bench.storm.StormRun;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Tools;

/** Drivers replaced under load until that has been done as often as wanted, VM by VM. */
final class SwapStorms {
  private static final int SECONDS = 60;

  /** Swaps a second that even a slow host makes; what is slower ends as a finding, not never. */
  private static final int LEAST_IN_A_SECOND = 1;

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
    List<Double> stalls = new ArrayList<>();
    int swaps = 0;
    long checked = 0;
    long wrong = 0;
    int runs = 0;
    int most = wanted / (SECONDS * LEAST_IN_A_SECOND) + 1;
    try {
      Storms storms = new Storms(project, Tools.of(project));
      while (swaps < wanted && wrong == 0 && runs++ < most) {
        System.err.printf("soak: %s-swap: %d of %d swaps%n", type, swaps, wanted);
        StormRun run = storms.run(plex86, type, SECONDS);
        swaps += run.swaps();
        checked += run.checked();
        wrong += run.wrong();
        stalls.addAll(run.stalls());
        run.problems().forEach(problem -> findings.bad(type + "-swap: " + problem));
        findings.told("%s-swap: %d swaps %s".formatted(type, run.swaps(), run.ways()));
      }
    } catch (IOException e) {
      findings.bad("%s-swap cannot run: %s".formatted(type, e.getMessage()));
      return;
    }
    findings.check(
        wrong == 0,
        "%s-swap: %d checked, %d lost, doubled or wrong".formatted(type, checked, wrong));
    findings.check(
        swaps >= wanted, "%s-swap: %d swaps of the %d wanted".formatted(type, swaps, wanted));
    findings.told(stalls(type, stalls));
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
