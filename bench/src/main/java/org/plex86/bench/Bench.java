// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.plex86.bench.host.Project;
import org.plex86.bench.result.Json;
import org.plex86.bench.result.Results;
import org.plex86.bench.result.Table;
import org.plex86.bench.subject.GuestFiles;
import org.plex86.bench.subject.NativeHost;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.QemuTcg;
import org.plex86.bench.subject.Staging;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.UserModeLinux;
import org.plex86.bench.suite.BootSuite;
import org.plex86.bench.suite.Context;
import org.plex86.bench.suite.CpuSuite;
import org.plex86.bench.suite.DiskSuite;
import org.plex86.bench.suite.ExecSuite;
import org.plex86.bench.suite.Explain;
import org.plex86.bench.suite.IdleSuite;
import org.plex86.bench.suite.NetSuite;
import org.plex86.bench.suite.SpecSuite;
import org.plex86.bench.suite.Suite;
import org.plex86.bench.suite.SwapSuite;

/**
 * Measures plex86 beside what else is installed. The exit status tells whether measuring worked
 * (0), not whether the figures are good; 1 if nothing could be measured, 2 for a usage error.
 */
public final class Bench {
  private Bench() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (Arrays.asList(arguments).contains("--help")) {
      System.out.print(Options.USAGE);
      return;
    }
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (Options.UsageException e) {
      System.err.println("bench: " + e.getMessage());
      System.exit(2);
      return;
    }
    Results results = new Results();
    Context context = context(options, results);
    if (options.explain()) {
      Set<String> names = new LinkedHashSet<>(options.names());
      names.retainAll(CpuSuite.names());
      System.out.print(Explain.of(context, names.isEmpty() ? CpuSuite.names() : names));
      return;
    }
    for (Suite suite : suites(options.names())) {
      suite.measure(context);
    }
    System.out.println(options.json() ? json(options, context) : text(options, context));
    System.exit(results.measurements().isEmpty() ? 1 : 0);
  }

  private static Context context(Options options, Results results) throws IOException {
    Project project = Project.current();
    Staging staging = new Staging();
    GuestFiles guest = new GuestFiles(project, staging);
    List<Subject> all = new ArrayList<>();
    all.add(new NativeHost(project.programs(), guest, staging));
    if (options.isolations().isEmpty()) {
      all.add(new Plex86("plex86", project, guest, staging, List.of()));
    }
    for (String mode : options.isolations()) {
      all.add(new Plex86("plex86-" + mode, project, guest, staging, List.of("--isolation", mode)));
    }
    all.add(new QemuTcg(project.programs(), guest, staging));
    all.add(new UserModeLinux(guest, staging));
    List<Subject> present = new ArrayList<>();
    for (Subject subject : all) {
      if (options.subjects().stream().noneMatch(name -> subject.name().startsWith(name))) {
        continue;
      }
      subject
          .missing()
          .ifPresentOrElse(
              reason -> results.note(subject.name() + " is left out: " + reason),
              () -> present.add(subject));
    }
    return new Context(project, results, present, options.repetitions());
  }

  private static List<Suite> suites(Set<String> names) {
    List<Suite> suites = new ArrayList<>();
    Set<String> single = new LinkedHashSet<>(names);
    single.removeAll(Options.SETS);
    if (names.contains("cpu")) {
      suites.add(CpuSuite.whole());
    } else if (!single.isEmpty()) {
      suites.add(CpuSuite.of(single));
    }
    for (Suite suite :
        List.of(
            new BootSuite(),
            new ExecSuite(),
            new IdleSuite(),
            new DiskSuite(),
            new NetSuite(),
            new SwapSuite(),
            new SpecSuite())) {
      if (names.contains(suite.name())) {
        suites.add(suite);
      }
    }
    return suites;
  }

  private static String text(Options options, Context context) throws IOException {
    StringBuilder text = new StringBuilder("host: " + host() + "\n");
    text.append("repetitions: " + options.repetitions() + "\n\n");
    text.append(Table.of(context.results()));
    for (String vm : machines(context)) {
      String report = SpecSuite.report(context.results(), vm, options.names());
      if (!report.isEmpty()) {
        text.append('\n').append(report);
      }
    }
    if (!context.results().notes().isEmpty()) {
      text.append("\nnotes:\n");
      context.results().notes().forEach(note -> text.append("  " + note + "\n"));
    }
    return text.toString().stripTrailing();
  }

  private static String json(Options options, Context context) throws IOException {
    Results results = context.results();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("host", host());
    all.put("repetitions", options.repetitions());
    all.put("notes", results.notes());
    List<Object> measurements = new ArrayList<>();
    for (String measurement : results.measurements()) {
      for (String subject : results.subjects()) {
        results
            .of(measurement, subject)
            .ifPresent(
                series -> {
                  Map<String, Object> entry = new LinkedHashMap<>();
                  entry.put("name", measurement);
                  entry.put("subject", subject);
                  entry.put("unit", results.unit(measurement).symbol());
                  entry.put("median", series.median());
                  entry.put("min", series.min());
                  entry.put("max", series.max());
                  entry.put("values", series.values());
                  measurements.add(entry);
                });
      }
    }
    all.put("measurements", measurements);
    List<Object> promises = new ArrayList<>();
    machines(context).forEach(vm -> promises.addAll(SpecSuite.json(results, vm, options.names())));
    if (!promises.isEmpty()) {
      all.put("spec", promises);
    }
    return Json.of(all);
  }

  /** The columns that promises are about; where plex86 cannot run, they are "not measured". */
  private static List<String> machines(Context context) {
    List<String> names =
        context.subjects().stream().filter(Plex86.class::isInstance).map(Subject::name).toList();
    return names.isEmpty() ? List.of("plex86") : names;
  }

  private static String host() throws IOException {
    String model =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse("unknown CPU");
    return "%s, %d CPUs, Linux %s, Java %s, load %s"
        .formatted(
            model,
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.version"),
            System.getProperty("java.version"),
            Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
  }
}
