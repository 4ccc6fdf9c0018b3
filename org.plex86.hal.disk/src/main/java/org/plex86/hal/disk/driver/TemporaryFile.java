// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.plex86.hal.disk.io.DiskFile;

/** A file for what is of no use after the end: it loses its name at once, so nothing is left. */
final class TemporaryFile {
  private static final String PREFIX = "plex86-overlay-";

  /** For large temporary files (Filesystem Hierarchy Standard); /tmp may be memory. */
  private static final Path LARGE = Path.of("/var/tmp");

  private TemporaryFile() {}

  static boolean isNameOfOne(String path) {
    return Path.of(path).getFileName().toString().startsWith(PREFIX);
  }

  static DiskFile create() throws IOException {
    Path folder =
        Files.isWritable(LARGE) ? LARGE : Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    Path path = folder.resolve(PREFIX + UUID.randomUUID());
    DiskFile file = DiskFile.create(path);
    Files.delete(path);
    return file;
  }
}
