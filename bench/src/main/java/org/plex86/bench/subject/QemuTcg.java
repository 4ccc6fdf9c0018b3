// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;

/**
 * QEMU's dynamic translation (TCG, never /dev/kvm) with the kernel of the same version and
 * configuration as the guest image's, but without its patches and macros.
 */
public final class QemuTcg implements Subject {
  private static final String QEMU = "qemu-system-i386";
  private static final String EXIT = "bench-exit ";

  private final GuestFiles guest;
  private final Staging staging;

  public QemuTcg(GuestFiles guest, Staging staging) {
    this.guest = guest;
    this.staging = staging;
  }

  @Override
  public String name() {
    return "qemu-tcg";
  }

  @Override
  public Optional<String> missing() {
    if (!onPath(QEMU)) {
      return Optional.of(QEMU + " is not installed: apt-get install qemu-system-x86");
    }
    Optional<String> kernel = guest.referenceKernelMissing();
    return kernel.isPresent() ? kernel : guest.busyboxMissing();
  }

  private static boolean onPath(String program) {
    for (String directory : System.getenv().getOrDefault("PATH", "/usr/bin:/bin").split(":")) {
      if (Files.isExecutable(Path.of(directory, program))) {
        return true;
      }
    }
    return false;
  }

  @Override
  public ChildProcess start(Workload workload, Duration limit) throws IOException {
    Path initramfs = staging.file(".initramfs");
    try (Cpio cpio = new Cpio(initramfs)) {
      for (String name : List.of("bin", "bench", "dev", "proc", "sys", "tmp")) {
        cpio.directory(name);
      }
      cpio.characterDevice("dev/console", 5, 1);
      cpio.program("bin/busybox", Files.readAllBytes(guest.busybox()));
      cpio.program("init", init().getBytes(StandardCharsets.US_ASCII));
      staging.archive(cpio, "bench/", workload, guest.busybox());
    }
    return ChildProcess.start(
        List.of(
            QEMU,
            "-accel",
            "tcg",
            "-cpu",
            "max",
            "-m",
            "256",
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            "stdio",
            "-kernel",
            guest.referenceKernel().toString(),
            "-initrd",
            initramfs.toString(),
            "-append",
            "console=ttyS0 quiet panic=-1"),
        Path.of("/"),
        Path.of("/dev/null"),
        limit);
  }

  /** The reboot ends QEMU, because of -no-reboot; the kernel has no ACPI to power off by. */
  private static String init() {
    return """
    #!/bin/busybox sh
    /bin/busybox mount -t proc proc /proc
    /bin/busybox mount -t sysfs sys /sys
    /bin/busybox mount -t devtmpfs dev /dev
    /bin/busybox --install -s /bin
    export PATH=/bin
    cd /bench
    echo %s
    sh ./%s </dev/null
    echo "%s$?"
    /bin/busybox reboot -f
    """
        .formatted(Workload.UP, Staging.SCRIPT, EXIT);
  }

  @Override
  public int await(ChildProcess instance) throws InterruptedException {
    int status = instance.await();
    if (status != 0) {
      return status;
    }
    return instance.output().stream()
        .map(line -> line.text().strip())
        .filter(text -> text.startsWith(EXIT))
        .mapToInt(text -> Integer.parseInt(text.substring(EXIT.length())))
        .findFirst()
        .orElse(125);
  }
}
