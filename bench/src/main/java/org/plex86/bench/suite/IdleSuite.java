// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.time.Duration;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.ProcessTree;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Workload;

/**
 * idle_cpu: what share of one core a VM takes whose guest only sleeps: all of its host processes,
 * the JVM included.
 */
public final class IdleSuite implements Suite {
  public static final String IDLE_CPU = "idle_cpu";

  private static final Duration LIMIT = Duration.ofSeconds(90);

  /** Time for a guest and a JVM to come to rest after the boot. */
  private static final long SETTLE_MILLIS = 4_000;

  private static final long WINDOW_MILLIS = 12_000;

  @Override
  public String name() {
    return "idle";
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    long sleep = (SETTLE_MILLIS + WINDOW_MILLIS) / 1000 + 5;
    for (int repetition = 0; repetition < context.repetitions(); repetition++) {
      for (Subject subject : context.machines()) {
        context.progress(name(), repetition, subject);
        try (ChildProcess instance = subject.start(Workload.of("sleep " + sleep), LIMIT)) {
          if (instance.awaitLine(Workload.UP, LIMIT) == null) {
            context.results().note(subject.name() + ": does not boot: " + instance.lastWords());
            continue;
          }
          Thread.sleep(SETTLE_MILLIS);
          long nanos = System.nanoTime();
          long ticks = ProcessTree.cpuTicks(instance.pid());
          Thread.sleep(WINDOW_MILLIS);
          long spent = ProcessTree.cpuTicks(instance.pid()) - ticks;
          double seconds = (System.nanoTime() - nanos) / 1e9;
          if (!instance.isAlive()) {
            context.results().note(subject.name() + ": ended early: " + instance.lastWords());
            continue;
          }
          context
              .results()
              .add(
                  IDLE_CPU,
                  Results.Unit.PERCENT,
                  subject.name(),
                  100.0 * spent / ProcessTree.TICKS_PER_SECOND / seconds);
          subject.await(instance);
        }
      }
    }
  }
}
