// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.plex86.bench.host.ChildProcess;

/** An initramfs that runs a workload as soon as the kernel is up, for VMs that are not ours. */
final class Initramfs {
  private static final String EXIT = "bench-exit ";

  private Initramfs() {}

  /**
   * The file that holds it.
   *
   * @param end the busybox command that ends the VM
   */
  static Path of(Staging staging, GuestFiles guest, Workload workload, String end)
      throws IOException {
    return staging.once(end, workload, file -> write(file, staging, guest, workload, end));
  }

  private static void write(
      Path file, Staging staging, GuestFiles guest, Workload workload, String end)
      throws IOException {
    try (Cpio cpio = new Cpio(file)) {
      for (String name : List.of("bin", "bench", "dev", "proc", "sys", "tmp")) {
        cpio.directory(name);
      }
      cpio.characterDevice("dev/console", 5, 1);
      cpio.program("bin/busybox", Files.readAllBytes(guest.busybox()));
      cpio.program("init", init(end).getBytes(StandardCharsets.US_ASCII));
      staging.archive(cpio, "bench/", workload, guest.busybox());
    }
  }

  private static String init(String end) {
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
    /bin/busybox %s
    """
        .formatted(Workload.UP, Staging.SCRIPT, EXIT, end);
  }

  /** Waits for the end of the VM; the status of the workload's script, 125 if it did not end. */
  static int await(ChildProcess instance) throws InterruptedException {
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
