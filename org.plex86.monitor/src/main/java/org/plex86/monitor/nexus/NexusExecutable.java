// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The executable of the nexus, which the bundle carries, as a file that the host can execute. */
public final class NexusExecutable {
  /** The name of the resource. */
  public static final String RESOURCE = "/native/linux-x86-64/plex86-nexus";

  /** The name of the file, which is what the host's ps shows. */
  public static final String NAME = "plex86-nexus";

  private NexusExecutable() {}

  /**
   * Unpacks the executable, unless a whole one is there.
   *
   * @param directory where to; made if need be. One directory belongs to one version of the bundle
   * @return the file
   */
  public static Path unpack(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    byte[] content;
    try (InputStream resource = NexusExecutable.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new FileNotFoundException("the monitor bundle carries no " + RESOURCE);
      }
      content = resource.readAllBytes();
    }
    if (Files.isExecutable(file) && Files.size(file) == content.length) {
      return file;
    }
    Files.createDirectories(directory);
    // Under another name first: an unpacking that is cut short must not look whole, and no process
    // may execute a file that is open for writing.
    Path part =
        Files.createTempFile(
            directory,
            NAME,
            ".part",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
    return file;
  }
}
