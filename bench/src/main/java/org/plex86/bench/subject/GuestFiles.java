// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.Project;

/**
 * What of the guest build is measured with: its busybox, so that the same program runs everywhere,
 * and the reference kernel. The environment variables PLEX86_BENCH_BUSYBOX and PLEX86_BENCH_KERNEL
 * name others.
 */
public final class GuestFiles {
  private final Optional<Path> busybox;
  private final Optional<Path> referenceKernel;

  public GuestFiles(Project project, Staging staging) throws IOException {
    Optional<Path> named = named("PLEX86_BENCH_BUSYBOX");
    Path initramfs = image(project).resolve("initramfs.cpio");
    if (named.isEmpty() && Files.isReadable(initramfs)) {
      // Workloads call it by this name, and it finds its applet by the name it is called by.
      Path file = Files.createDirectory(staging.file(".bin")).resolve("busybox");
      Files.write(file, new CpioReader(initramfs).content("bin/busybox"));
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
      named = Optional.of(file);
    }
    busybox = named;
    referenceKernel =
        named("PLEX86_BENCH_KERNEL")
            .or(() -> Optional.of(image(project, "--reference").resolve("bzImage")))
            .filter(Files::isReadable);
  }

  /** busybox, i386 and static. */
  public Path busybox() {
    return busybox.orElseThrow();
  }

  public Optional<String> busyboxMissing() {
    return busybox.isPresent()
        ? Optional.empty()
        : Optional.of("the guest image is not built: ./plex86 build");
  }

  /** The kernel of the guest's version and configuration without its patches. */
  public Path referenceKernel() {
    return referenceKernel.orElseThrow();
  }

  public Optional<String> referenceKernelMissing() {
    return referenceKernel.isPresent()
        ? Optional.empty()
        : Optional.of(
            "the unpatched kernel of the same configuration is not built: guest/build --reference");
  }

  private static Optional<Path> named(String variable) {
    return Optional.ofNullable(System.getenv(variable)).map(Path::of);
  }

  /** The folder of the image that the current sources of guest/ make, built or not. */
  private static Path image(Project project, String... options) {
    List<String> command = new ArrayList<>(List.of(project.root() + "/guest/build"));
    command.addAll(List.of(options));
    command.add("--print-dir");
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      byte[] answer = process.getInputStream().readAllBytes();
      if (process.waitFor() == 0) {
        return Path.of(new String(answer, StandardCharsets.UTF_8).strip());
      }
    } catch (IOException e) {
      System.err.println("bench: guest/build cannot be run: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Path.of("/nonexistent");
  }
}
