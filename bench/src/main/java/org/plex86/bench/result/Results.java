// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** All that was measured in one run, and what could not be. */
public final class Results {
  /** What a value counts. */
  public enum Unit {
    NANOSECONDS("ns"),
    SECONDS("s"),
    PERCENT("%"),
    /** 10^6 bytes a second. */
    MEGABYTES_PER_SECOND("MB/s"),
    /** Operations a second. */
    PER_SECOND("/s"),
    COUNT("");

    private final String symbol;

    Unit(String symbol) {
      this.symbol = symbol;
    }

    public String symbol() {
      return symbol;
    }
  }

  private final Map<String, Unit> units = new LinkedHashMap<>();
  private final Map<String, Map<String, Series>> series = new LinkedHashMap<>();
  private final Set<String> notes = new LinkedHashSet<>();

  public void add(String measurement, Unit unit, String subject, double value) {
    units.putIfAbsent(measurement, unit);
    series
        .computeIfAbsent(measurement, name -> new LinkedHashMap<>())
        .computeIfAbsent(subject, name -> new Series())
        .add(value);
  }

  /** What a reader must know: a subject that is missing, a run that failed. Said once. */
  public void note(String text) {
    if (notes.add(text)) {
      System.err.println("bench: " + text);
    }
  }

  public List<String> notes() {
    return List.copyOf(notes);
  }

  public List<String> measurements() {
    return List.copyOf(units.keySet());
  }

  public Unit unit(String measurement) {
    return units.get(measurement);
  }

  public Optional<Series> of(String measurement, String subject) {
    return Optional.ofNullable(series.getOrDefault(measurement, Map.of()).get(subject));
  }

  /** The subjects that have any value, in the order in which they first had one. */
  public List<String> subjects() {
    Set<String> names = new LinkedHashSet<>();
    series.values().forEach(bySubject -> names.addAll(bySubject.keySet()));
    return new ArrayList<>(names);
  }
}
