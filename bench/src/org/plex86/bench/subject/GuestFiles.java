// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.plex86.bench.host.Project;

/**
 * What of the guest build is measured with: its busybox, so that the same program runs everywhere,
 * and the reference kernel. {@code guest/build --print KEY} tells where they are; the environment
 * variables PLEX86_BENCH_BUSYBOX and PLEX86_BENCH_KERNEL name others.
 */
public final class GuestFiles {
  private final Project project;
  private final Map<String, Optional<Path>> known = new HashMap<>();

  public GuestFiles(Project project) {
    this.project = project;
  }

  /** busybox, i386 and static. */
  public Path busybox() throws IOException {
    return find("busybox", "PLEX86_BENCH_BUSYBOX")
        .orElseThrow(() -> new IOException(busyboxMissing().orElseThrow()));
  }

  public Optional<String> busyboxMissing() {
    return find("busybox", "PLEX86_BENCH_BUSYBOX").isPresent()
        ? Optional.empty()
        : Optional.of("the guest image is not built: ./plex86 build");
  }

  /** The kernel of the guest's version and configuration without its patches. */
  public Path referenceKernel() throws IOException {
    return find("reference-kernel", "PLEX86_BENCH_KERNEL")
        .orElseThrow(() -> new IOException(referenceKernelMissing().orElseThrow()));
  }

  public Optional<String> referenceKernelMissing() {
    return find("reference-kernel", "PLEX86_BENCH_KERNEL").isPresent()
        ? Optional.empty()
        : Optional.of(
            "the unpatched kernel of the same configuration is not built: guest/build --reference");
  }

  private synchronized Optional<Path> find(String key, String variable) {
    String named = System.getenv(variable);
    if (named != null) {
      return Optional.of(Path.of(named)).filter(Files::isReadable);
    }
    return known.computeIfAbsent(key, this::ask);
  }

  private Optional<Path> ask(String key) {
    Path build = project.root().resolve("guest/build");
    if (!Files.isExecutable(build)) {
      return Optional.empty();
    }
    try {
      Process process =
          new ProcessBuilder(build.toString(), "--print", key)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String answer =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0 || answer.isEmpty()) {
        process.destroyForcibly();
        return Optional.empty();
      }
      return Optional.of(Path.of(answer)).filter(Files::isReadable);
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
