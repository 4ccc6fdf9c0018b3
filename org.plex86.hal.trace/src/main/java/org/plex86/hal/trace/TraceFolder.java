// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.plex86.hal.api.HalException;

/**
 * The files of one activation of the bundle, one a channel: a change of the driver behind the
 * tracer goes on in the same file. Any thread.
 */
final class TraceFolder implements AutoCloseable {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);
  private static final int NAMES = 100;

  private final Path folder;
  private final Map<String, TraceFile> files = new HashMap<>();

  TraceFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * The file of a channel; a new one begins with a header.
   *
   * @param suffix of its name
   * @throws HalException the file cannot be made
   */
  synchronized TraceFile file(String vm, String channel, String suffix, byte[] header)
      throws HalException {
    String name = (vm + "-" + channel).replaceAll("[^A-Za-z0-9._-]", "_");
    TraceFile known = files.get(name + suffix);
    if (known != null) {
      return known;
    }
    try {
      Files.createDirectories(folder);
      TraceFile file = new TraceFile(name, create(name, suffix));
      file.add(header);
      files.put(name + suffix, file);
      return file;
    } catch (IOException e) {
      throw new HalException(
          "no trace can be written to the folder "
              + folder
              + ": "
              + e
              + "; name another by 'directory' of the configuration "
              + TraceBundle.PID,
          e);
    }
  }

  private FileChannel create(String name, String suffix) throws IOException {
    String stem = name + "-" + TIME.format(LocalDateTime.now(ZoneId.systemDefault()));
    for (int i = 1; ; i++) {
      try {
        return FileChannel.open(
            folder.resolve(stem + (i == 1 ? "" : "-" + i) + suffix),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
      } catch (FileAlreadyExistsException e) {
        if (i == NAMES) {
          throw e;
        }
      }
    }
  }

  @Override
  public synchronized void close() {
    files.values().forEach(TraceFile::close);
    files.clear();
  }
}
