// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.nio.file.Path;
import java.util.List;

/**
 * What runs inside a subject: a shell script (POSIX sh) whose current directory is writable, in
 * memory, and holds {@code files} and the project's i386 busybox.
 *
 * @param files host files, put there under their own names; if there are none, busybox is not
 *     copied either, and the script must do with what every shell has
 */
public record Workload(String script, List<Path> files) {
  /** Printed by every subject, as a line of its own, right before the script begins. */
  public static final String UP = "bench-up";

  public Workload {
    files = List.copyOf(files);
  }

  public static Workload of(String script) {
    return new Workload(script, List.of());
  }
}
