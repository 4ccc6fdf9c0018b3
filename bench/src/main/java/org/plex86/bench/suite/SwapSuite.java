// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.util.List;
import org.plex86.bench.result.Results;
import org.plex86.bench.storm.StormGoal;
import org.plex86.bench.storm.StormRun;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Tools;

/**
 * How long a guest is without a driver when that is replaced under load, as hal:history tells it:
 * half by an update in place and by a newer version beside, each tenth by a crash.
 */
public final class SwapSuite implements Suite {
  public static final String NAME = "swap";
  static final List<String> TYPES = Storms.TYPES;

  private static final int SECONDS = 20;

  static String p50(String type) {
    return "swap_" + type + "_p50";
  }

  static String p99(String type) {
    return "swap_" + type + "_p99";
  }

  static String wrong(String type) {
    return "swap_" + type + "_wrong";
  }

  private static String count(String type) {
    return "swap_" + type + "_count";
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    Storms storms;
    try {
      storms = new Storms(context.project(), Tools.of(context.project()));
    } catch (IOException e) {
      context.results().note("swap is left out: " + e.getMessage());
      return;
    }
    for (int repetition = 0; repetition < context.repetitions(); repetition++) {
      for (Subject subject : context.subjects()) {
        if (subject instanceof Plex86 plex86) {
          for (String type : TYPES) {
            context.progress("swap of " + type, repetition, subject);
            record(
                context.results(),
                plex86.name(),
                storms.run(plex86, type, StormGoal.lasting(SECONDS)));
          }
        }
      }
    }
  }

  private static void record(Results results, String vm, StormRun run) {
    String type = run.type();
    run.problems().forEach(problem -> results.note(vm + ": swap of " + type + ": " + problem));
    if (run.stalls().isEmpty()) {
      results.note("%s: swap of %s: no stall was told".formatted(vm, type));
    } else {
      results.add(p50(type), Results.Unit.NANOSECONDS, vm, run.stall(0.5) * 1e6);
      results.add(p99(type), Results.Unit.NANOSECONDS, vm, run.stall(0.99) * 1e6);
    }
    results.add(wrong(type), Results.Unit.COUNT, vm, (double) run.wrong());
    results.add(count(type), Results.Unit.COUNT, vm, run.swaps());
  }
}
