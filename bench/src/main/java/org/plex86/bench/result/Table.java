// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Text in columns: the first to the left, the others to the right. */
public final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  public void row(List<String> cells) {
    rows.add(List.copyOf(cells));
  }

  @Override
  public String toString() {
    int columns = rows.stream().mapToInt(List::size).max().orElse(0);
    int[] width = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        width[i] = Math.max(width[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        String padding = " ".repeat(width[i] - row.get(i).length());
        line.append(i == 0 ? row.get(i) + padding : "  " + padding + row.get(i));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  /** The measurements, a column for each subject; after the median its spread and the ratio. */
  public static Table of(Results results) {
    Table table = new Table();
    List<String> subjects = results.subjects();
    List<String> head = new ArrayList<>(List.of("median [min..max]"));
    head.addAll(subjects);
    for (String subject : subjects.subList(Math.min(1, subjects.size()), subjects.size())) {
      head.add(subject + "/" + subjects.get(0));
    }
    table.row(head);
    for (String measurement : results.measurements()) {
      table.row(cells(results, measurement, subjects));
    }
    return table;
  }

  private static List<String> cells(Results results, String measurement, List<String> subjects) {
    Results.Unit unit = results.unit(measurement);
    List<String> cells = new ArrayList<>(List.of(measurement));
    for (String subject : subjects) {
      cells.add(results.of(measurement, subject).map(s -> spread(s, unit)).orElse("-"));
    }
    for (String subject : subjects.subList(Math.min(1, subjects.size()), subjects.size())) {
      cells.add(
          results
              .of(measurement, subject)
              .flatMap(
                  s ->
                      results
                          .of(measurement, subjects.get(0))
                          .map(first -> number(s.dividedBy(first).median()) + "x"))
              .orElse("-"));
    }
    return cells;
  }

  private static String spread(Series series, Results.Unit unit) {
    return "%s [%s..%s]"
        .formatted(
            quantity(series.median(), unit),
            quantity(series.min(), unit),
            quantity(series.max(), unit));
  }

  /** A value with its unit; nanoseconds in the unit that fits. */
  public static String quantity(double value, Results.Unit unit) {
    if (unit != Results.Unit.NANOSECONDS) {
      return (number(value) + " " + unit.symbol()).strip();
    }
    if (value < 1e4) {
      return number(value) + " ns";
    }
    if (value < 1e7) {
      return number(value / 1e3) + " us";
    }
    return value < 1e10 ? number(value / 1e6) + " ms" : number(value / 1e9) + " s";
  }

  /** Three significant digits or so. */
  public static String number(double value) {
    double size = Math.abs(value);
    String format = size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, format, value);
  }
}
