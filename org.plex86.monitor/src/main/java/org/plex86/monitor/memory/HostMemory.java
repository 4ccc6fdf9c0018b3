// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory the host can give. Asked before a machine is made, because nothing refuses it
 * later: pages of a file in memory are not accounted for until they are touched, and then the host
 * kills some process for want of them.
 */
public final class HostMemory {
  private static final Pattern LINE =
      Pattern.compile("^(MemAvailable|SwapFree): +(\\d{1,15}) kB$", Pattern.MULTILINE);

  private final Path meminfo;
  private final Path limit;

  /** Of this host, and of the control group that we see as its root. */
  public HostMemory() {
    this(Path.of("/proc/meminfo"), Path.of("/sys/fs/cgroup/memory.max"));
  }

  HostMemory(Path meminfo, Path limit) {
    this.meminfo = meminfo;
    this.limit = limit;
  }

  /** Bytes that can be had without harm to others; {@link Long#MAX_VALUE} where nothing tells. */
  public long available() {
    return Math.min(free(), controlGroup());
  }

  private long free() {
    long bytes = 0;
    Matcher lines = LINE.matcher(read(meminfo));
    boolean found = false;
    while (lines.find()) {
      bytes += Long.parseLong(lines.group(2)) << 10;
      found = true;
    }
    return found ? bytes : Long.MAX_VALUE;
  }

  private long controlGroup() {
    String text = read(limit).strip();
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : Long.MAX_VALUE;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException absent) {
      return "";
    }
  }
}
