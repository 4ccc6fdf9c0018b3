// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Programs that may be installed on the host. */
public final class HostPrograms {
  private HostPrograms() {}

  /** The program of this name on the PATH. */
  public static Optional<Path> find(String program) {
    for (String directory : System.getenv().getOrDefault("PATH", "/usr/bin:/bin").split(":", -1)) {
      Path path = Path.of(directory, program);
      if (Files.isExecutable(path)) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }
}
