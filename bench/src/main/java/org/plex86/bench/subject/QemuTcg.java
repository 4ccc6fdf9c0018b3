// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
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

  private final Path programs;
  private final GuestFiles guest;
  private final Staging staging;
  private String frequency;

  public QemuTcg(Path programs, GuestFiles guest, Staging staging) {
    this.programs = programs;
    this.guest = guest;
    this.staging = staging;
  }

  @Override
  public String name() {
    return "qemu-tcg";
  }

  @Override
  public Optional<String> missing() {
    if (HostPrograms.find(QEMU).isEmpty()) {
      return Optional.of(QEMU + " is not installed: apt-get install qemu-system-x86");
    }
    Optional<String> kernel = guest.referenceKernelMissing();
    return kernel.isPresent() ? kernel : guest.busyboxMissing();
  }

  @Override
  public ChildProcess start(Workload workload, Duration limit) throws IOException {
    // The reboot ends QEMU, because of -no-reboot; the kernel has no ACPI to power off by.
    Path initramfs = Initramfs.of(staging, guest, workload, "reboot -f");
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
            "console=ttyS0 quiet panic=-1" + frequency()),
        Path.of("/"),
        Path.of("/dev/null"),
        limit);
  }

  /**
   * TCG gives the guest the host's time-stamp counter. The kernel would measure its frequency, and
   * watch it, by an emulated timer, which on a busy host goes wrong, and all of its times with it;
   * so it is told the frequency, and to trust it.
   */
  private synchronized String frequency() throws IOException {
    if (frequency == null) {
      Process process =
          new ProcessBuilder(programs.resolve("micro").toString(), "--tsc-khz").start();
      String khz = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      frequency = khz.strip().matches("[0-9]+") ? " tsc=reliable tsc_early_khz=" + khz.strip() : "";
    }
    return frequency;
  }

  @Override
  public int await(ChildProcess instance) throws InterruptedException {
    return Initramfs.await(instance);
  }
}
