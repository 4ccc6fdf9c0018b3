// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;

/**
 * The host itself, by its IA32 emulation. Held on one CPU, since every guest has one: else what is
 * compared would be switches between processes against wake-ups across cores.
 */
public final class NativeHost implements Subject {
  private final Path programs;
  private final GuestFiles guest;
  private final Staging staging;

  /** Where the run before was; its files are in memory. */
  private Path last;

  public NativeHost(Path programs, GuestFiles guest, Staging staging) {
    this.programs = programs;
    this.guest = guest;
    this.staging = staging;
  }

  @Override
  public String name() {
    return "native";
  }

  @Override
  public Optional<String> missing() {
    if (!runsI386()) {
      return Optional.of(
          "this host does not run i386 programs (a kernel with CONFIG_IA32_EMULATION, booted"
              + " without ia32_emulation=0, does)");
    }
    return guest.busyboxMissing();
  }

  private boolean runsI386() {
    try {
      Process probe =
          new ProcessBuilder(programs.resolve("micro").toString(), "--nothing")
              .redirectErrorStream(true)
              .start();
      return probe.waitFor() == 0;
    } catch (IOException e) {
      // The message would be "Exec format error", which is the answer.
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public ChildProcess start(Workload workload, Duration limit) throws IOException {
    if (last != null) {
      Staging.delete(last);
    }
    Path place = staging.directory(workload, guest.busybox());
    last = place;
    String cpu = Integer.toString(Runtime.getRuntime().availableProcessors() - 1);
    Path shell = guest.busybox();
    Files.writeString(
        place.resolve(Staging.SCRIPT), "echo " + Workload.UP + "\n" + workload.script());
    return ChildProcess.start(
        List.of("taskset", "-c", cpu, shell.toString(), "sh", "./" + Staging.SCRIPT),
        place,
        Path.of("/dev/null"),
        limit);
  }
}
