// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * The outcome of a run of {@code checks}, the program of {@code src/test/native}: a test for each
 * check that it said it would make.
 */
final class Checks {
  private static final String PLAN = "plan ";
  private static final String DIFFERENCE = "at ";
  private static final String OK = "ok ";
  private static final String FAILED = "failed ";
  private static final String SKIPPED = "skipped ";

  private final String subject;
  private final Plex86.Result result;
  private final List<String> plan = new ArrayList<>();
  private final Map<String, String> outcomes = new LinkedHashMap<>();
  private final Map<String, List<String>> differences = new LinkedHashMap<>();

  Checks(String subject, Plex86.Result result) {
    this.subject = subject;
    this.result = result;
    result.text().lines().forEach(this::read);
    assertThat(plan).as("%s: %s%s", subject, result.text(), result.errors()).isNotEmpty();
  }

  Stream<DynamicTest> tests() {
    return plan.stream()
        .map(name -> DynamicTest.dynamicTest(subject + ": " + name, () -> verify(name)));
  }

  private void read(String line) {
    if (line.startsWith(PLAN)) {
      plan.add(line.substring(PLAN.length()));
    } else if (line.startsWith(OK)) {
      outcomes.put(line.substring(OK.length()), OK);
    } else if (line.startsWith(FAILED)) {
      outcomes.put(line.substring(FAILED.length()), FAILED);
    } else {
      plan.stream()
          .filter(name -> line.startsWith(SKIPPED + name + ": "))
          .forEach(name -> outcomes.put(name, line));
      plan.stream()
          .filter(name -> line.startsWith(DIFFERENCE + name + ": "))
          .forEach(name -> differences.computeIfAbsent(name, n -> new ArrayList<>()).add(line));
    }
  }

  private void verify(String name) {
    String outcome = outcomes.get(name);
    if (outcome == null) {
      fail("not reached; the run ended with " + result.status() + ": " + result.errors());
    } else if (outcome.startsWith(SKIPPED)) {
      abort(outcome.substring((SKIPPED + name + ": ").length()));
    } else if (outcome.equals(FAILED)) {
      fail(String.join("\n", differences.getOrDefault(name, List.of("no reason was given"))));
    }
  }
}
