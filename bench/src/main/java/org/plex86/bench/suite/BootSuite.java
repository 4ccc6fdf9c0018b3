// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Workload;

/**
 * How long a VM takes to start: boot_first_line from the start of the host command to the first
 * line that a program in the guest prints; boot_nexus from the start of the nexus to the first
 * instruction of init.
 */
public final class BootSuite implements Suite {
  public static final String NEXUS = "boot_nexus";
  public static final String FIRST_LINE = "boot_first_line";

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Pattern NEXUS_TIME = Pattern.compile("nexus-start-to-first-user-us=(\\d+)");

  @Override
  public String name() {
    return "boot";
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    for (int repetition = 0; repetition < context.repetitions(); repetition++) {
      for (Subject subject : context.machines()) {
        context.progress(name(), repetition, subject);
        try (ChildProcess instance = subject.start(Workload.of("true"), LIMIT)) {
          ChildProcess.Line up = instance.awaitLine(Workload.UP, LIMIT);
          int status = subject.await(instance);
          if (up == null || status != 0) {
            context
                .results()
                .note(
                    "%s: does not boot (status %d): %s"
                        .formatted(subject.name(), status, instance.lastWords()));
            continue;
          }
          context
              .results()
              .add(
                  FIRST_LINE,
                  Results.Unit.NANOSECONDS,
                  subject.name(),
                  (double) (up.nanos() - instance.startNanos()));
        }
        if (subject instanceof Plex86 plex86) {
          measureNexus(context, plex86);
        }
      }
    }
  }

  /** A run of its own, since --verbose costs time. */
  private static void measureNexus(Context context, Plex86 plex86)
      throws IOException, InterruptedException {
    try (ChildProcess instance = plex86.exec("true", LIMIT, "--verbose")) {
      instance.await();
      for (ChildProcess.Line line : instance.errors()) {
        Matcher time = NEXUS_TIME.matcher(line.text());
        if (time.find()) {
          double nanos = Double.parseDouble(time.group(1)) * 1e3;
          context.results().add(NEXUS, Results.Unit.NANOSECONDS, plex86.name(), nanos);
          return;
        }
      }
      context
          .results()
          .note(plex86.name() + ": run --verbose does not tell how long the nexus took to start");
    }
  }
}
