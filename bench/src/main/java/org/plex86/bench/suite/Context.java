// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.util.List;
import org.plex86.bench.host.Project;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.Subject;

/**
 * What the suites of one run share.
 *
 * @param subjects all that can be measured here, the one that others are compared with first
 */
public record Context(Project project, Results results, List<Subject> subjects, int repetitions) {
  public Context {
    subjects = List.copyOf(subjects);
  }

  /** The VMs among the subjects: what boots. */
  List<Subject> machines() {
    return subjects.stream().filter(subject -> !subject.name().equals("native")).toList();
  }

  /** Tells on standard error what is going on. */
  void progress(String what, int repetition, Subject subject) {
    System.err.printf("bench: %s %d/%d %s%n", what, repetition + 1, repetitions, subject.name());
  }
}
