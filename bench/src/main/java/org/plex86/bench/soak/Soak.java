// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.Project;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.GuestFiles;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Staging;
import org.plex86.bench.subject.Workload;

/**
 * A VM under mixed load for a while, with every result checked, its clock held against the host's,
 * and its host processes watched for growth; beside it short VMs that come and go.
 */
public final class Soak {
  private static final String USAGE =
      """
      usage: soak [MINUTES] [--memory MEGABYTES] [--isolation strict|shared] [--only PART]... [--swaps N]
      Runs mixed load on a VM for MINUTES (1 to 10000, default 10), checks all results, clock and
      ticks, and that nothing on the host grows; then reaches a guest by forwarded ports with curl, ssh
      and iperf3; then replaces the drivers of disk, net and console under load, N times each (default
      1000). Ends with what was checked and what was found;
      status 0: all was right, 1: something was wrong, 2: usage error.
      PART: load, forward, disk-swap, net-swap, console-swap; repeatable
      """;

  private static final List<String> PARTS =
      List.of("load", "forward", "disk-swap", "net-swap", "console-swap");

  private static final int ROUND_SECONDS = 20;
  private static final long SAMPLE_MILLIS = 2_000;
  private static final long CHURN_MILLIS = 10_000;

  /** The last round may start at the end of the time, be followed by a kill for lack of memory. */
  private static final Duration GRACE = Duration.ofMinutes(4);

  /** The part of the time after which what is held must not grow any more. */
  private static final double WARM_UP = 0.34;

  /** The control memory is shared, too. */
  private static final int SHARED_BESIDE_RAM_MB = 2;

  private final Duration length;
  private final int memoryMb;

  /** The VM under load, and what the short VMs are made by: with memory of their own choice. */
  private final Plex86 plex86;

  private final Plex86 shortVms;
  private final Path worker;
  private final Path script;
  private final ClockCheck clock = new ClockCheck();
  private final GuestLoad load = new GuestLoad(clock);
  private final Findings findings = new Findings();

  private Soak(Duration length, int memoryMb, List<String> options) throws IOException {
    this.length = length;
    this.memoryMb = memoryMb;
    Project project = Project.current();
    Staging staging = new Staging();
    GuestFiles guest = new GuestFiles(project, staging);
    shortVms = new Plex86("plex86", project, guest, staging, options);
    plex86 = shortVms.with("--memory", memoryMb + "M");
    worker = project.programs().resolve("worker");
    script = project.bench().resolve("soak.guest.sh");
    plex86
        .missing()
        .ifPresent(
            reason -> {
              System.err.println("soak: " + reason);
              System.exit(1);
            });
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int minutes = 10;
    int memoryMb = 256;
    int swaps = 1000;
    Set<String> parts = new LinkedHashSet<>();
    List<String> options = new ArrayList<>();
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].equals("--help")) {
        System.out.print(USAGE);
        return;
      } else if (arguments[i].matches("[1-9][0-9]{0,3}|10000")) {
        minutes = Integer.parseInt(arguments[i]);
      } else if (arguments[i].equals("--memory")
          && i + 1 < arguments.length
          && arguments[i + 1].matches("[1-9][0-9]{1,3}")) {
        memoryMb = Integer.parseInt(arguments[++i]);
      } else if (arguments[i].equals("--swaps")
          && i + 1 < arguments.length
          && arguments[i + 1].matches("[1-9][0-9]{0,5}")) {
        swaps = Integer.parseInt(arguments[++i]);
      } else if (arguments[i].equals("--only")
          && i + 1 < arguments.length
          && PARTS.contains(arguments[i + 1])) {
        parts.add(arguments[++i]);
      } else if (arguments[i].equals("--isolation") && i + 1 < arguments.length) {
        options.addAll(List.of(arguments[i], arguments[++i]));
      } else {
        System.err.println("soak: '" + arguments[i] + "' is not understood; see --help");
        System.exit(2);
      }
    }
    Soak soak = new Soak(Duration.ofMinutes(minutes), memoryMb, options);
    boolean good = soak.run(parts.isEmpty() ? PARTS : parts, swaps);
    System.exit(good ? 0 : 1);
  }

  private boolean run(Collection<String> parts, int swaps)
      throws IOException, InterruptedException {
    if (parts.contains("load")) {
      load();
    }
    if (parts.contains("forward")) {
      new ForwardCheck(Project.current(), shortVms, findings).run();
    }
    SwapStorms storms = new SwapStorms(Project.current(), shortVms, findings);
    for (String type : Storms.TYPES) {
      if (parts.contains(type + "-swap")) {
        storms.run(type, swaps);
      }
    }
    System.out.println(findings);
    System.out.println(
        findings.allGood() ? "soak: all that was checked was right" : "soak: something was wrong");
    return findings.allGood();
  }

  private void load() throws IOException, InterruptedException {
    String guestScript =
        "set -- %d %d\n".formatted(length.toSeconds(), ROUND_SECONDS) + Files.readString(script);
    Workload workload = new Workload(guestScript, List.of(worker));
    try (ChildProcess instance = plex86.start(workload, length.plus(GRACE), load::line)) {
      if (instance.awaitLine(Workload.UP, Duration.ofSeconds(60)) == null) {
        findings.bad("the VM does not come up: " + instance.lastWords());
        return;
      }
      HostSampler sampler = new HostSampler(instance.pid());
      Churn churn = new Churn(shortVms, worker);
      watch(instance, sampler, churn);
      int status = instance.await();
      report(instance, status, sampler, churn);
    }
  }

  /** Until the guest ends: samples here, short VMs on a thread of their own. */
  private void watch(ChildProcess instance, HostSampler sampler, Churn churn)
      throws IOException, InterruptedException {
    Thread shortVms = new Thread(() -> churn(instance, churn), "short-vms");
    shortVms.start();
    double told = 0;
    while (instance.isAlive()) {
      double seconds = (System.nanoTime() - instance.startNanos()) / 1e9;
      sampler.sample(seconds);
      if (seconds - told >= 30) {
        told = seconds;
        System.err.printf(
            Locale.ROOT,
            "soak: %.0f of %d s, round %d, %d checks, %d wrong, JVM %.0f MB, %.0f nexus mappings%n",
            seconds,
            length.toSeconds(),
            load.round(),
            total(load.checks()),
            load.failed(),
            sampler.trend(HostSampler.Metric.JVM_MEMORY).last(),
            sampler.trend(HostSampler.Metric.NEXUS_MAPPINGS).last());
      }
      Thread.sleep(SAMPLE_MILLIS);
    }
    shortVms.join();
  }

  private void churn(ChildProcess instance, Churn churn) {
    try {
      while (true) {
        Thread.sleep(CHURN_MILLIS);
        if (!instance.isAlive() || load.done()) {
          return;
        }
        churn.step();
      }
    } catch (IOException e) {
      findings.bad("short VMs: cannot be started: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void report(ChildProcess instance, int status, HostSampler sampler, Churn churn)
      throws IOException {
    findings.check(
        status == 0 && load.done(),
        "the VM ran %d rounds in %.0f s and ended with status %d%s"
            .formatted(
                load.round(),
                instance.wallTime().toMillis() / 1e3,
                status,
                status == 0 ? "" : ": " + instance.lastWords()));
    load.checks()
        .forEach(
            (kind, count) -> {
              long wrong =
                  load.failures().stream().filter(f -> f.startsWith("FAIL " + kind + " ")).count();
              findings.check(
                  wrong == 0 && count > 0, "%s: %d checks, %d wrong".formatted(kind, count, wrong));
            });
    findings.check(
        load.failed() == 0,
        "results of the guest in all: %d checks, %d wrong"
            .formatted(total(load.checks()), load.failed()));
    load.failures().forEach(failure -> findings.told(failure));
    clock.report(findings);
    growth(sampler);
    churn.report(findings);
  }

  private void growth(HostSampler sampler) throws IOException {
    findings.check(
        sampler.sawJvmAndNexus(), "host: the VM's JVM and its nexus processes were watched");
    for (HostSampler.Metric metric : HostSampler.Metric.values()) {
      Trend trend = sampler.trend(metric);
      if (trend.size() < 15) {
        findings.bad("host: too few samples (%d) of %s".formatted(trend.size(), metric.words()));
        continue;
      }
      double before = trend.median(WARM_UP, WARM_UP + (1 - WARM_UP) / 3);
      double after = trend.median(1 - (1 - WARM_UP) / 3, 1);
      findings.check(
          after - before <= metric.tolerated(before),
          "host: %s: %.1f after warm-up, %.1f at the end, %.1f at most"
              .formatted(metric.words(), before, after, trend.highest()));
    }
    int limit = maxMapCount();
    findings.check(
        sampler.mostMappings() < limit,
        "host: at most %d mappings in one nexus process (vm.max_map_count is %d)"
            .formatted(sampler.mostMappings(), limit));
    findings.check(
        sampler.mostSharedMb() <= memoryMb + SHARED_BESIDE_RAM_MB,
        "host: at most %.1f MB of shared memory, for %d MB of guest RAM"
            .formatted(sampler.mostSharedMb(), memoryMb));
    findings.told("processes of the VM: " + sampler.processes());
  }

  /** Read by lines: a sysctl file gives all of its content to the first read and none to others. */
  private static int maxMapCount() throws IOException {
    try (BufferedReader file = Files.newBufferedReader(Path.of("/proc/sys/vm/max_map_count"))) {
      return Integer.parseInt(file.readLine().strip());
    }
  }

  private static long total(Map<String, Long> checks) {
    return checks.values().stream().mapToLong(Long::longValue).sum();
  }
}
