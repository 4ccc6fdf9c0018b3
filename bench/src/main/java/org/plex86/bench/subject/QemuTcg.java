// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
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
            "console=ttyS0 quiet panic=-1"),
        Path.of("/"),
        Path.of("/dev/null"),
        limit);
  }

  @Override
  public int await(ChildProcess instance) throws InterruptedException {
    return Initramfs.await(instance);
  }
}
