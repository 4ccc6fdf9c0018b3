// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.storm.Storm.Way;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Workload;

/** A VM with a load on one channel, whose driver is replaced until the load ends. */
public final class StormRun {
  private static final Duration BOOT = Duration.ofSeconds(60);
  private static final long PAUSE_MILLIS = 10;
  private static final long PROGRESS_NANOS = 30_000_000_000L;
  private static final String TOLD = "load-told ";
  private static final Pattern END = Pattern.compile("load-end ([0-9]+) ([0-9]+)");
  private static final Pattern BOUND = Pattern.compile("([0-9.]+) ms +bound to .*");

  private final StormLoad load;
  private final Map<Way, Integer> swaps = new EnumMap<>(Way.class);
  private final List<Double> stalls = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private String seen = "";
  private String untold = "";
  private long checked;
  private long wrong;

  private StormRun(StormLoad load) {
    this.load = load;
  }

  /**
   * Runs it until its goal is reached and its load has ended.
   *
   * @param folder for the socket and the bundle; does not exist yet, short path
   * @param limit for all of it
   */
  static StormRun of(Plex86 plex86, StormLoad load, StormGoal goal, Path folder, Duration limit)
      throws IOException, InterruptedException {
    StormRun run = new StormRun(load);
    try (Storm storm = Storm.in(folder)) {
      List<String> options = new ArrayList<>(load.options());
      options.addAll(List.of("--bundles", storm.bundles().toString()));
      Workload workload = new Workload(load.script(), load.files());
      Plex86 vm = plex86.with(options.toArray(String[]::new));
      try (ChildProcess instance = vm.startWithOpenInput(workload, limit)) {
        run.storm(storm, instance, goal);
        load.host().stop();
        instance.endInput();
        run.judge(instance, vm.await(instance));
      }
    }
    return run;
  }

  private void storm(Storm storm, ChildProcess instance, StormGoal goal)
      throws InterruptedException {
    try {
      if (instance.awaitLine(StormLoad.READY, BOOT) == null) {
        problems.add("the load does not begin: " + instance.lastWords());
        instance.kill();
        return;
      }
      storm.connect(BOOT);
      load.host().start();
      long begin = System.nanoTime();
      long shown = begin;
      while (instance.isAlive()
          && end(instance) == null
          && !goal.isReached(swaps(), System.nanoTime() - begin, load.host().bytes())) {
        if (goal.isDue(swaps(), load.host().bytes())) {
          Way way = Way.of(swaps());
          storm.swap(load.type(), way);
          swaps.merge(way, 1, Integer::sum);
          if (untold.isEmpty()) {
            collect(storm);
          }
        }
        if (System.nanoTime() - shown >= PROGRESS_NANOS) {
          shown = System.nanoTime();
          System.err.printf(
              "storm: %s: %d s, %d swaps, %d MiB each way%n",
              load.type(), (shown - begin) / 1_000_000_000, swaps(), load.host().bytes() >> 20);
        }
        // The load must get on between two swaps.
        Thread.sleep(PAUSE_MILLIS);
      }
    } catch (IOException e) {
      if (end(instance) == null) {
        problems.add("after %d swaps: %s".formatted(swaps(), e.getMessage()));
      }
    }
  }

  /** The stalls since it was asked last. Where they are not told, the storm goes on without. */
  private void collect(Storm storm) throws IOException {
    List<String> history;
    try {
      history = storm.history(load.channel());
    } catch (Storm.RefusedException e) {
      untold = e.getMessage();
      return;
    }
    List<String> fresh = history.subList(history.lastIndexOf(seen) + 1, history.size());
    for (String line : fresh) {
      Matcher bound = BOUND.matcher(line);
      if (bound.find()) {
        stalls.add(Double.parseDouble(bound.group(1)));
      }
    }
    if (!history.isEmpty()) {
      seen = history.get(history.size() - 1);
    }
  }

  private static Matcher end(ChildProcess instance) {
    for (ChildProcess.Line line : instance.output()) {
      Matcher end = END.matcher(line.text().strip());
      if (end.matches()) {
        return end;
      }
    }
    return null;
  }

  private void judge(ChildProcess instance, int status) throws IOException {
    for (ChildProcess.Line line : instance.output()) {
      String text = line.text().strip();
      if (text.startsWith(TOLD)) {
        told.add(text.substring(TOLD.length()));
      } else if (text.startsWith("FAIL") || text.contains("I/O error")) {
        problems.add(text);
      }
    }
    told.addAll(load.host().told());
    load.host().problems().forEach(this::found);
    Matcher end = end(instance);
    if (!untold.isEmpty()) {
      problems.add("stalls are not told: " + untold);
    }
    if (end == null || status != 0) {
      problems.add("the load did not end (status %d): %s".formatted(status, instance.lastWords()));
      wrong++;
    }
    if (end != null) {
      checked = Long.parseLong(end.group(1));
      wrong += Long.parseLong(end.group(2));
      if (load.stream() != null) {
        wrong += load.wrongLines(checked);
      }
    }
  }

  /** Adds what the host has found. */
  void found(String problem) {
    problems.add(problem);
    wrong++;
  }

  public String type() {
    return load.type();
  }

  /** How often the driver was replaced. */
  public int swaps() {
    return swaps.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** The same, by way, for people. */
  public String ways() {
    return swaps.toString().toLowerCase(Locale.ROOT);
  }

  /** How long the guest was without a driver each time, in ms. */
  public List<Double> stalls() {
    return List.copyOf(stalls);
  }

  /** The stall that this part (0 to 1) of all do not exceed, in ms; 0 if there were none. */
  public double stall(double part) {
    List<Double> sorted = stalls.stream().sorted().toList();
    int index = (int) Math.ceil(part * sorted.size()) - 1;
    return sorted.isEmpty() ? 0 : sorted.get(Math.max(0, index));
  }

  /** What was checked: runs of fio, round trips, lines. */
  public long checked() {
    return checked;
  }

  /** What has passed each way, in bytes; where that is counted. */
  public long bytes() {
    return load.host().bytes();
  }

  /** What of that was lost, doubled or wrong. */
  public long wrong() {
    return wrong;
  }

  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** What the load has done, for people. */
  public List<String> told() {
    return List.copyOf(told);
  }
}
