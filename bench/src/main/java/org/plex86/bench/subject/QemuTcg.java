// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;

/**
 * QEMU's dynamic translation (TCG, never /dev/kvm) with the kernel of the same version and
 * configuration as the guest image's, but without its patches and macros.
 */
public final class QemuTcg implements Subject {
  private static final String QEMU = "qemu-system-i386";

  /**
   * A PC's serial line and timers, and virtio devices on the bus that the guests of plex86 have;
   * without ACPI the devices are named on the kernel's command line.
   */
  private static final List<String> WITH_VIRTIO =
      List.of(
          "-machine", "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=on",
          "-global", "virtio-mmio.force-legacy=false");

  private final String name;
  private final Path programs;
  private final GuestFiles guest;
  private final Staging staging;
  private final List<String> devices;
  private String frequency;

  public QemuTcg(Path programs, GuestFiles guest, Staging staging) {
    this("qemu-tcg", programs, guest, staging, List.of());
  }

  private QemuTcg(
      String name, Path programs, GuestFiles guest, Staging staging, List<String> devices) {
    this.name = name;
    this.programs = programs;
    this.guest = guest;
    this.staging = staging;
    this.devices = List.copyOf(devices);
  }

  /**
   * The same VM with virtio devices.
   *
   * @param suffix is added to its name
   * @param arguments QEMU's, such as {@code -drive …} and {@code -device virtio-blk-device,…}
   */
  public QemuTcg with(String suffix, List<String> arguments) {
    return new QemuTcg(name + suffix, programs, guest, staging, arguments);
  }

  /**
   * The value of {@code -drive} for the tools image, as d0. Without QEMU's locks: they are of bytes
   * of the file that a plex86 VM elsewhere, which has the image read-only as well, has locked.
   */
  public static String toolsDrive(Tools tools) {
    return "file=%s,file.locking=off,id=d0,if=none,format=raw,readonly=on".formatted(tools.image());
  }

  @Override
  public String name() {
    return name;
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
    List<String> command = new ArrayList<>(List.of(QEMU));
    String cpu = "max";
    if (!devices.isEmpty()) {
      command.addAll(WITH_VIRTIO);
      command.addAll(devices);
      // The kernel has no driver for a local APIC, which no BIOS passes the timer through here.
      cpu = "max,apic=off";
    }
    command.addAll(List.of("-accel", "tcg", "-cpu", cpu, "-m", "256", "-nodefaults"));
    command.addAll(List.of("-display", "none", "-no-reboot", "-serial", "stdio"));
    command.addAll(List.of("-kernel", guest.referenceKernel().toString()));
    command.addAll(List.of("-initrd", initramfs.toString()));
    command.addAll(List.of("-append", "console=ttyS0 quiet panic=-1" + frequency()));
    return ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), limit);
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
