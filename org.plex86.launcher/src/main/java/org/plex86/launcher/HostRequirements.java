// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What no virtual machine can do without, checked by reading a few small files before each start.
 * {@code plex86 doctor} says more, and what helps.
 */
final class HostRequirements {
  // the guest's own lowest mapping, see the guest's CONFIG_DEFAULT_MMAP_MIN_ADDR
  private static final long MMAP_MIN_ADDR_MAX = 65536;

  private HostRequirements() {}

  /**
   * The first thing in the way.
   *
   * @param os the system's name as the JVM has it
   * @param arch the processor's name as the JVM has it
   * @param proc where procfs is
   */
  static Optional<String> obstacle(String os, String arch, Path proc) {
    if (!os.equals("Linux") || !arch.equals("amd64")) {
      return Optional.of(
          "needs Linux on x86-64, and this is " + os + " on " + arch + "; use another host");
    }
    Optional<Long> lowest = number(proc.resolve("sys/vm/mmap_min_addr"));
    if (lowest.isPresent() && lowest.get() > MMAP_MIN_ADDR_MAX) {
      return Optional.of(
          "the host's vm.mmap_min_addr is "
              + lowest.get()
              + "; as root, run: sysctl vm.mmap_min_addr="
              + MMAP_MIN_ADDR_MAX);
    }
    return Optional.empty();
  }

  private static Optional<Long> number(Path file) {
    try {
      return Optional.of(Long.valueOf(Files.readString(file).strip()));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty(); // not to be read here: the start itself will show
    }
  }
}
