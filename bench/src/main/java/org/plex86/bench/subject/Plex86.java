// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.Project;

/** A VM of this project, as {@code ./plex86 run --exec} makes it. */
public final class Plex86 implements Subject {
  private final String name;
  private final Project project;
  private final GuestFiles guest;
  private final Staging staging;
  private final List<String> options;

  /**
   * @param name its name in tables
   * @param options further options of {@code plex86 run}, for example the isolation
   */
  public Plex86(
      String name, Project project, GuestFiles guest, Staging staging, List<String> options) {
    this.name = name;
    this.project = project;
    this.guest = guest;
    this.staging = staging;
    this.options = List.copyOf(options);
  }

  /** The same VM with further options. */
  public Plex86 with(String... further) {
    List<String> more = new ArrayList<>(options);
    more.addAll(List.of(further));
    return new Plex86(name, project, guest, staging, more);
  }

  /** The same VM under another name in tables. */
  public Plex86 named(String suffix) {
    return new Plex86(name + suffix, project, guest, staging, options);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Optional<String> missing() {
    if (!Files.isExecutable(project.command())) {
      return Optional.of("there is no " + project.command());
    }
    return guest.busyboxMissing();
  }

  @Override
  public ChildProcess start(Workload workload, Duration limit) throws IOException {
    return start(workload, limit, line -> {});
  }

  /** As above; {@code listener} is called for each line that the script prints. */
  public ChildProcess start(Workload workload, Duration limit, Consumer<ChildProcess.Line> listener)
      throws IOException {
    return ChildProcess.start(
        command(script(workload), List.of()), project.root(), input(workload), limit, listener);
  }

  /** As above, with standard input for the script, until {@link ChildProcess#endInput}. */
  public ChildProcess startWithOpenInput(Workload workload, Duration limit) throws IOException {
    return ChildProcess.startWithOpenInput(
        command(script(workload), List.of()), project.root(), input(workload), limit, line -> {});
  }

  private static String script(Workload workload) {
    return workload.files().isEmpty()
        ? "echo " + Workload.UP + "\n" + workload.script()
        : "mkdir -p /bench && cd /bench && cpio -i 2>/dev/null && echo %s && exec sh ./%s"
            .formatted(Workload.UP, Staging.SCRIPT);
  }

  private Path input(Workload workload) throws IOException {
    if (workload.files().isEmpty()) {
      return Path.of("/dev/null");
    }
    // The programs come over standard input: the guest image stays the one that ships.
    return staging.once(
        "cpio",
        workload,
        file -> {
          try (Cpio cpio = new Cpio(file)) {
            staging.archive(cpio, "", workload, guest.busybox());
          }
        });
  }

  /** {@code ./plex86 run --exec COMMAND} as it stands, with {@code further} options. */
  public ChildProcess exec(String command, Duration limit, String... further) throws IOException {
    return ChildProcess.start(
        command(command, List.of(further)), project.root(), Path.of("/dev/null"), limit);
  }

  private List<String> command(String script, List<String> further) {
    List<String> command = new ArrayList<>(List.of(project.command().toString(), "run"));
    command.addAll(options);
    command.addAll(further);
    command.addAll(List.of("--exec", script));
    return command;
  }
}
