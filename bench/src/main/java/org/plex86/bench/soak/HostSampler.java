// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.plex86.bench.host.MemoryFiles;
import org.plex86.bench.host.ProcessMemory;
import org.plex86.bench.host.ProcessTree;

/** Looks, again and again, at what a VM's processes hold of the host. */
final class HostSampler {
  /** A quantity that must not grow, and how much of a change is none. */
  enum Metric {
    PROCESSES("processes", 0, 2),
    JVM_MEMORY("JVM memory, MB", 0.05, 16),
    JVM_FILES("JVM file descriptors", 0, 4),
    JVM_THREADS("JVM threads", 0, 4),
    JVM_MAPPINGS("JVM mappings", 0.05, 40),
    NEXUS_MEMORY("nexus memory, MB", 0.05, 4),
    NEXUS_FILES("nexus file descriptors", 0, 4),
    /** The cached mappings of guest address spaces: they follow the load, within bounds. */
    NEXUS_MAPPINGS("nexus mappings", 0.3, 2000);

    private final String words;
    private final double relative;
    private final double absolute;

    Metric(String words, double relative, double absolute) {
      this.words = words;
      this.relative = relative;
      this.absolute = absolute;
    }

    String words() {
      return words;
    }

    /** How much more than {@code before} is still flat. */
    double tolerated(double before) {
      return before * relative + absolute;
    }
  }

  private static final String NEXUS = "plex86-nexus";

  /** Asking for shared memory starts a process: not at every sample. */
  private static final int SHARED_EVERY = 5;

  private final long root;
  private final Map<Metric, Trend> trends = new EnumMap<>(Metric.class);
  private final Map<String, Integer> names = new TreeMap<>();
  private int samples;
  private int mostMappings;
  private long mostSharedKb;

  HostSampler(long root) {
    this.root = root;
    for (Metric metric : Metric.values()) {
      trends.put(metric, new Trend());
    }
  }

  /** Takes one sample; {@code seconds} is the time since the start. */
  void sample(double seconds) throws IOException {
    Map<Metric, Double> now = new EnumMap<>(Metric.class);
    for (Metric metric : Metric.values()) {
      now.put(metric, 0.0);
    }
    names.clear();
    List<ProcessTree.Entry> processes = ProcessTree.of(root);
    if (samples++ % SHARED_EVERY == 0) {
      long sharedKb =
          MemoryFiles.residentKb(processes.stream().map(ProcessTree.Entry::pid).toList());
      mostSharedKb = Math.max(mostSharedKb, sharedKb);
    }
    for (ProcessTree.Entry process : processes) {
      now.merge(Metric.PROCESSES, 1.0, Double::sum);
      names.merge(process.name(), 1, Integer::sum);
      ProcessMemory memory = ProcessMemory.of(process.pid()).orElse(null);
      if (memory == null) {
        continue;
      }
      if (process.name().equals(NEXUS)) {
        now.merge(Metric.NEXUS_MEMORY, memory.anonymousKb() / 1024.0, Double::sum);
        now.merge(Metric.NEXUS_FILES, (double) memory.files(), Double::sum);
        now.merge(Metric.NEXUS_MAPPINGS, (double) memory.mappings(), Double::sum);
        mostMappings = Math.max(mostMappings, memory.mappings());
      } else if (process.name().equals("java")) {
        now.merge(Metric.JVM_MEMORY, memory.anonymousKb() / 1024.0, Double::sum);
        now.merge(Metric.JVM_FILES, (double) memory.files(), Double::sum);
        now.merge(Metric.JVM_THREADS, (double) memory.threads(), Double::sum);
        now.merge(Metric.JVM_MAPPINGS, (double) memory.mappings(), Double::sum);
      }
    }
    now.forEach((metric, value) -> trends.get(metric).add(seconds, value));
  }

  Trend trend(Metric metric) {
    return trends.get(metric);
  }

  /** Whether there was anything to watch. */
  boolean sawJvmAndNexus() {
    return trends.get(Metric.JVM_FILES).highest() > 0
        && trends.get(Metric.NEXUS_MAPPINGS).highest() > 0;
  }

  /** Most VMAs that one nexus process had at any sample. */
  int mostMappings() {
    return mostMappings;
  }

  /** Most shared memory, guest RAM above all, that all processes together had, in MB. */
  double mostSharedMb() {
    return mostSharedKb / 1024.0;
  }

  /** What ran at the last sample, by name, for a message. */
  String processes() {
    return names.toString();
  }
}
