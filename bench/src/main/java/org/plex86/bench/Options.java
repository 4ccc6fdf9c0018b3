// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.plex86.bench.suite.CpuSuite;

/** The command line of bench/bench. */
record Options(
    Set<String> names,
    int repetitions,
    boolean json,
    boolean explain,
    List<String> isolations,
    Set<String> subjects) {
  static final Set<String> SETS =
      Set.of("cpu", "boot", "exec", "idle", "disk", "net", "swap", "spec");
  static final Set<String> SUBJECTS = Set.of("native", "plex86", "qemu-tcg", "uml");

  static final String USAGE =
      """
      usage: bench [NAME...] [--json] [--repeat N] [--isolation MODE]... [--subjects LIST]
      NAME: a set (cpu boot exec idle disk net swap spec; default: cpu boot exec idle) or one measurement of cpu:
      %s
        --json            the results for machines, on standard output
        --repeat N        repetitions, 1 to 100 (default 5); medians and spreads are over these
        --explain         no times, but what each measurement of cpu costs plex86: traps, maps, switches, an operation
        --isolation MODE  measure plex86 run --isolation MODE; repeatable: one column for each
        --subjects LIST   only these, separated by commas: native plex86 qemu-tcg uml
      """
          .formatted(wrapped(CpuSuite.names()));

  /** A usage error; the message is one line. */
  static final class UsageException extends Exception {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
      super(message);
    }
  }

  static Options parse(String... arguments) throws UsageException {
    Set<String> names = new LinkedHashSet<>();
    Set<String> subjects = new LinkedHashSet<>();
    List<String> isolations = new ArrayList<>();
    int repetitions = 5;
    boolean json = false;
    boolean explain = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--json" -> json = true;
        case "--explain" -> explain = true;
        case "--repeat" -> repetitions = count(value(arguments, i++));
        case "--isolation" ->
            isolations.add(oneOf("--isolation", value(arguments, i++), Set.of("strict", "shared")));
        case "--subjects" -> {
          for (String subject : value(arguments, i++).split(",")) {
            subjects.add(oneOf("--subjects", subject, SUBJECTS));
          }
        }
        default -> names.add(name(arguments[i]));
      }
    }
    if (names.isEmpty()) {
      names.addAll(List.of("cpu", "boot", "exec", "idle"));
    }
    return new Options(
        names, repetitions, json, explain, isolations, subjects.isEmpty() ? SUBJECTS : subjects);
  }

  private static String value(String[] arguments, int option) throws UsageException {
    if (option + 1 >= arguments.length) {
      throw new UsageException(arguments[option] + " needs a value");
    }
    return arguments[option + 1];
  }

  private static int count(String text) throws UsageException {
    if (!text.matches("[1-9][0-9]?|100")) {
      throw new UsageException("--repeat takes a number from 1 to 100, not '" + text + "'");
    }
    return Integer.parseInt(text);
  }

  private static String oneOf(String option, String text, Set<String> known) throws UsageException {
    if (!known.contains(text)) {
      throw new UsageException(
          "%s: '%s' is not one of %s"
              .formatted(option, text, String.join(" ", known.stream().sorted().toList())));
    }
    return text;
  }

  private static String name(String text) throws UsageException {
    if (!SETS.contains(text) && !CpuSuite.names().contains(text)) {
      throw new UsageException("'" + text + "' is neither an option nor a measurement; see --help");
    }
    return text;
  }

  private static String wrapped(Set<String> names) {
    StringBuilder text = new StringBuilder();
    int column = 0;
    for (String name : names) {
      if (column + name.length() > 90) {
        text.append('\n');
        column = 0;
      }
      text.append(column == 0 ? "  " : " ").append(name);
      column += name.length() + 1;
    }
    return text.toString();
  }
}
