// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.plex86.bench.result.Results;
import org.plex86.bench.result.Series;
import org.plex86.bench.result.Table;

/** What docs/SPECIFICATION.md promises in figures, each held against what is measured now. */
public final class SpecSuite implements Suite {
  /**
   * A promise, and the set of measurements that it is about: {@code measured} must be at most, or
   * at least, {@code bound}.
   */
  private record Promise(
      String set, String text, Bound kind, double bound, Series measured, String unit) {
    boolean holds() {
      return switch (kind) {
        case AT_MOST -> measured.median() <= bound;
        case AT_LEAST -> measured.median() >= bound;
        case BELOW -> measured.median() < bound;
      };
    }
  }

  private enum Bound {
    AT_MOST("at most"),
    AT_LEAST("at least"),
    BELOW("below");

    private final String words;

    Bound(String words) {
      this.words = words;
    }
  }

  private static final String NATIVE = "native";
  private static final String TCG = "qemu-tcg";
  private static final Set<String> CPU = Set.of("getppid_vdso", "shell_loop", "exec_500");

  private final List<Suite> parts =
      List.of(
          CpuSuite.of(CPU),
          new BootSuite(),
          new ExecSuite(),
          new IdleSuite(),
          new DiskSuite(),
          new NetSuite(),
          new SwapSuite());

  @Override
  public String name() {
    return "spec";
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    for (Suite part : parts) {
      part.measure(context);
    }
  }

  private static List<Promise> promises(Results results, String vm) {
    Series nexus = scaled(results, BootSuite.NEXUS, vm, 1e-6);
    Series exec = scaled(results, ExecSuite.EXEC_TRUE, vm, 1);
    Series idle = scaled(results, IdleSuite.IDLE_CPU, vm, 1);
    Series speed = ratio(results, "shell_loop", NATIVE, vm);
    Series call = ratio(results, "getppid_vdso", vm, NATIVE);
    Series callTcg = ratio(results, "getppid_vdso", vm, TCG);
    Series execTcg = ratio(results, "exec_500", vm, TCG);
    List<Promise> all = new ArrayList<>();
    all.addAll(
        List.of(
            new Promise(
                "boot", "nexus start to first line of init", Bound.AT_MOST, 80, nexus, "ms"),
            new Promise(
                "exec", "./plex86 run --exec true, wall time, warm", Bound.AT_MOST, 2.0, exec, "s"),
            new Promise(
                "cpu", "speed of a shell loop, of native", Bound.AT_LEAST, 0.95, speed, "x"),
            new Promise("idle", "CPU of an idle guest, of one core", Bound.BELOW, 2.0, idle, "%"),
            new Promise("cpu", "getppid by the vDSO, to native", Bound.AT_MOST, 2.5, call, "x"),
            new Promise("cpu", "getppid by the vDSO, to QEMU TCG", Bound.BELOW, 1.0, callTcg, "x"),
            new Promise(
                "cpu", "500 fork+exec of busybox, to QEMU TCG", Bound.BELOW, 1.0, execTcg, "x")));
    for (String format : List.of("-raw", "-qcow2")) {
      for (String job : DiskSuite.promised()) {
        Series faster = ratio(results, job, vm + format, TCG + format);
        all.add(timesTcg(DiskSuite.NAME, job + format.replace('-', ' '), faster));
      }
    }
    for (String job : NetSuite.PROMISED) {
      all.add(timesTcg(NetSuite.NAME, job, ratio(results, job, vm, TCG)));
    }
    for (String type : SwapSuite.TYPES) {
      Series p50 = scaled(results, SwapSuite.p50(type), vm, 1e-6);
      Series p99 = scaled(results, SwapSuite.p99(type), vm, 1e-6);
      Series wrong = scaled(results, SwapSuite.wrong(type), vm, 1);
      String swap = "swap of " + type + ": ";
      all.add(new Promise(SwapSuite.NAME, swap + "stall, p50", Bound.AT_MOST, 20, p50, "ms"));
      all.add(new Promise(SwapSuite.NAME, swap + "stall, p99", Bound.AT_MOST, 100, p99, "ms"));
      all.add(new Promise(SwapSuite.NAME, swap + "lost or doubled", Bound.AT_MOST, 0, wrong, ""));
    }
    return all;
  }

  private static Promise timesTcg(String set, String job, Series ratio) {
    return new Promise(set, job + ", of QEMU TCG's", Bound.AT_LEAST, 2.0, ratio, "x");
  }

  /** What the sets that were asked for promise: {@code spec} is all sets. */
  private static List<Promise> promises(Results results, String vm, Set<String> sets) {
    return promises(results, vm).stream()
        .filter(promise -> sets.contains("spec") || judged(promise, sets))
        .toList();
  }

  /** Sets with many figures that nobody promised are judged by {@code spec} only. */
  private static boolean judged(Promise promise, Set<String> sets) {
    return List.of(DiskSuite.NAME, NetSuite.NAME, SwapSuite.NAME).contains(promise.set())
        && sets.contains(promise.set());
  }

  private static Series scaled(Results results, String measurement, String subject, double by) {
    Series scaled = new Series();
    results
        .of(measurement, subject)
        .ifPresent(series -> series.values().forEach(value -> scaled.add(value * by)));
    return scaled;
  }

  private static Series ratio(Results results, String measurement, String of, String to) {
    return results
        .of(measurement, of)
        .flatMap(a -> results.of(measurement, to).map(a::dividedBy))
        .orElseGet(Series::new);
  }

  /**
   * Promise by promise: target, median, spread, and whether it holds; empty if the sets promise
   * nothing.
   */
  public static String report(Results results, String vm, Set<String> sets) {
    List<Promise> promises = promises(results, vm, sets);
    if (promises.isEmpty()) {
      return "";
    }
    Table table = new Table();
    table.row(List.of(vm, "target", "median", "spread", ""));
    for (Promise promise : promises) {
      String target =
          promise.kind().words + " " + Table.number(promise.bound()) + " " + promise.unit();
      if (promise.measured().isEmpty()) {
        table.row(List.of(promise.text(), target, "-", "-", "not measured"));
        continue;
      }
      Series measured = promise.measured();
      table.row(
          List.of(
              promise.text(),
              target,
              Table.number(measured.median()) + " " + promise.unit(),
              Table.number(measured.min()) + ".." + Table.number(measured.max()),
              promise.holds() ? "holds" : "does not hold"));
    }
    return table.toString();
  }

  /** The same for machines. */
  public static List<Map<String, Object>> json(Results results, String vm, Set<String> sets) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (Promise promise : promises(results, vm, sets)) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("promise", promise.text());
      entry.put("subject", vm);
      entry.put("bound", promise.kind().words);
      entry.put("target", promise.bound());
      entry.put("unit", promise.unit());
      if (!promise.measured().isEmpty()) {
        entry.put("median", promise.measured().median());
        entry.put("min", promise.measured().min());
        entry.put("max", promise.measured().max());
        entry.put("holds", promise.holds());
      }
      all.add(entry);
    }
    return all;
  }
}
