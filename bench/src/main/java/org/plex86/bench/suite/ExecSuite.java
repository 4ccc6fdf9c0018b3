// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.time.Duration;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Workload;

/**
 * exec_true: wall time of a whole VM that runs one command, from the start of the host command to
 * its end, everything included. One run that is not counted warms the caches of the host.
 */
public final class ExecSuite implements Suite {
  public static final String EXEC_TRUE = "exec_true";

  private static final Duration LIMIT = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "exec";
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    for (int repetition = -1; repetition < context.repetitions(); repetition++) {
      for (Subject subject : context.machines()) {
        context.progress(name(), repetition, subject);
        try (ChildProcess instance = start(subject)) {
          int status = subject.await(instance);
          if (status != 0) {
            context
                .results()
                .note(
                    "%s: true ended with status %d: %s"
                        .formatted(subject.name(), status, instance.lastWords()));
          } else if (repetition >= 0) {
            context
                .results()
                .add(
                    EXEC_TRUE,
                    Results.Unit.SECONDS,
                    subject.name(),
                    instance.wallTime().toNanos() / 1e9);
          }
        }
      }
    }
  }

  private static ChildProcess start(Subject subject) throws IOException {
    return subject instanceof Plex86 plex86
        ? plex86.exec("true", LIMIT)
        : subject.start(Workload.of("true"), LIMIT);
  }
}
