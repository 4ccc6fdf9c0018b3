// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.ProcessTree;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Workload;

/**
 * Short VMs beside the one under load, one after the other: some end well, others meet a fault.
 * After each nothing of it may be left, and it must have ended as it should.
 */
final class Churn {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration GONE = Duration.ofSeconds(10);

  /** Exit status of {@code plex86 run} when the guest crashed or a part of the VM died. */
  private static final int CRASHED = 4;

  private static final int TIMED_OUT = 124;

  private interface Scenario {
    /** Runs a VM; returns null if all was well, else what was not. */
    String run() throws IOException, InterruptedException;
  }

  private final Plex86 plex86;
  private final Path worker;
  private final Map<String, Scenario> scenarios = new TreeMap<>();
  private final List<String> order;
  private final Map<String, Integer> runs = new TreeMap<>();
  private final List<String> failures = new ArrayList<>();
  private int next;

  Churn(Plex86 plex86, Path worker) {
    this.plex86 = plex86;
    this.worker = worker;
    scenarios.put("exit status", this::exitStatus);
    scenarios.put("data through stdin", this::data);
    scenarios.put("--timeout", this::timeout);
    scenarios.put("kill -9 of a nexus process", () -> killed("plex86-nexus", Set.of(CRASHED)));
    // timeout(1) reports a child killed by signal 9 as 137.
    scenarios.put("kill -9 of the JVM", () -> killed("java", Set.of(137)));
    scenarios.put("guest kernel panics", this::panic);
    scenarios.put("fork bomb", this::forkBomb);
    scenarios.put("guest out of memory", this::outOfMemory);
    order = List.copyOf(scenarios.keySet());
  }

  /** Runs the next scenario. */
  void step() throws IOException, InterruptedException {
    String name = order.get(next++ % order.size());
    String wrong = scenarios.get(name).run();
    runs.merge(name, 1, Integer::sum);
    if (wrong != null) {
      failures.add(name + ": " + wrong);
    }
  }

  void report(Findings findings) {
    runs.forEach(
        (name, count) -> {
          List<String> wrong =
              failures.stream().filter(failure -> failure.startsWith(name + ": ")).toList();
          findings.check(
              wrong.isEmpty(),
              "short VMs, %s: %d, %d wrong%s"
                  .formatted(
                      name, count, wrong.size(), wrong.isEmpty() ? "" : " (" + wrong.get(0) + ")"));
        });
  }

  private String exitStatus() throws IOException, InterruptedException {
    return ended(plex86.exec("echo churn $((6 * 7)); exit 7", LIMIT), Set.of(7), "churn 42");
  }

  private String data() throws IOException, InterruptedException {
    // The worker itself goes in by stdin, and says whether it is whole.
    Workload workload = new Workload("./worker compress 5 1\n", List.of(worker));
    return ended(plex86.start(workload, LIMIT), Set.of(0), null);
  }

  private String timeout() throws IOException, InterruptedException {
    return ended(plex86.exec("sleep 1000", LIMIT, "--timeout", "3"), Set.of(TIMED_OUT), null);
  }

  private String panic() throws IOException, InterruptedException {
    String command = "echo c >/proc/sysrq-trigger; sleep 1000";
    return ended(plex86.exec(command, LIMIT), Set.of(CRASHED), null);
  }

  private String forkBomb() throws IOException, InterruptedException {
    String bomb = "f() { f | f & }; f; sleep 1000";
    return ended(
        plex86.exec(bomb, LIMIT, "--timeout", "8", "--memory", "64M"),
        Set.of(TIMED_OUT, CRASHED, 137),
        null);
  }

  private String outOfMemory() throws IOException, InterruptedException {
    Workload workload = new Workload("./worker oom 1 30 && ./worker sha256 1 1\n", List.of(worker));
    return ended(plex86.start(workload, LIMIT), Set.of(0), null);
  }

  /** Kills one process of a VM that has come up. */
  private String killed(String name, Set<Integer> statuses)
      throws IOException, InterruptedException {
    ChildProcess instance = plex86.start(Workload.of("sleep 1000"), LIMIT);
    if (instance.awaitLine(Workload.UP, LIMIT) == null) {
      instance.kill();
      return "did not come up: " + instance.lastWords();
    }
    List<ProcessTree.Entry> victims =
        ProcessTree.of(instance.pid()).stream().filter(p -> p.name().equals(name)).toList();
    if (victims.isEmpty()) {
      instance.kill();
      return "has no process " + name;
    }
    List<ProcessTree.Entry> all = ProcessTree.of(instance.pid());
    // The last is a space, the first its supervisor: take turns.
    ProcessTree.Entry victim = victims.get(next / order.size() % 2 == 0 ? victims.size() - 1 : 0);
    ProcessHandle.of(victim.pid()).ifPresent(ProcessHandle::destroyForcibly);
    return ended(instance, statuses, null, all);
  }

  private static String ended(ChildProcess instance, Set<Integer> statuses, String line)
      throws IOException, InterruptedException {
    // What there is of it a moment after the start, so that what is left of it is known.
    instance.awaitLine(line == null ? Workload.UP : line, Duration.ofSeconds(2));
    return ended(instance, statuses, line, ProcessTree.of(instance.pid()));
  }

  private static String ended(
      ChildProcess instance, Set<Integer> statuses, String line, List<ProcessTree.Entry> processes)
      throws InterruptedException {
    int status = instance.await();
    if (!statuses.contains(status)) {
      return "status %d, not one of %s: %s".formatted(status, statuses, instance.lastWords());
    }
    if (line != null && instance.output().stream().noneMatch(l -> l.text().equals(line))) {
      return "the line '%s' is missing".formatted(line);
    }
    long deadline = System.nanoTime() + GONE.toNanos();
    List<ProcessTree.Entry> left = processes.stream().filter(ProcessTree.Entry::exists).toList();
    while (!left.isEmpty() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(50);
      left = processes.stream().filter(ProcessTree.Entry::exists).toList();
    }
    return left.isEmpty() ? null : "left behind: " + left;
  }
}
