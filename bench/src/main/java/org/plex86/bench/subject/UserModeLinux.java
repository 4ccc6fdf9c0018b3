// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;

/**
 * User Mode Linux for i386, as Debian packages it: the same programs run in it (the amd64 package
 * runs none for i386). PLEX86_BENCH_UML names one that is not on the PATH.
 */
public final class UserModeLinux implements Subject {
  private static final String PROGRAM = "linux.uml";
  private static final int ELF_CLASS = 4;
  private static final int ELF_CLASS_64 = 2;

  private final GuestFiles guest;
  private final Staging staging;
  private final Optional<Path> program;

  public UserModeLinux(GuestFiles guest, Staging staging) {
    this.guest = guest;
    this.staging = staging;
    program =
        Optional.ofNullable(System.getenv("PLEX86_BENCH_UML"))
            .map(Path::of)
            .or(() -> HostPrograms.find(PROGRAM));
  }

  @Override
  public String name() {
    return "uml";
  }

  @Override
  public Optional<String> missing() {
    if (program.isEmpty() || is64Bit(program.get())) {
      return Optional.of(
          "User Mode Linux for i386 is not installed: dpkg --add-architecture i386 &&"
              + " apt-get update && apt-get install user-mode-linux:i386");
    }
    return guest.busyboxMissing();
  }

  private static boolean is64Bit(Path program) {
    try (InputStream file = Files.newInputStream(program)) {
      byte[] head = file.readNBytes(ELF_CLASS + 1);
      return head.length > ELF_CLASS && head[0] == 0x7f && head[ELF_CLASS] == ELF_CLASS_64;
    } catch (IOException e) {
      // What cannot be read here will not start either, and then says why.
      return false;
    }
  }

  @Override
  public ChildProcess start(Workload workload, Duration limit) throws IOException {
    Path initramfs = Initramfs.of(staging, guest, workload, "poweroff -f");
    Path state = Files.createDirectory(staging.file(".uml"));
    return ChildProcess.start(
        List.of(
            program.orElseThrow().toString(),
            "mem=256M",
            "initrd=" + initramfs,
            "uml_dir=" + state + "/",
            "con=null",
            "con0=null,fd:1",
            "quiet"),
        state,
        Path.of("/dev/null"),
        limit);
  }

  @Override
  public int await(ChildProcess instance) throws InterruptedException {
    return Initramfs.await(instance);
  }
}
