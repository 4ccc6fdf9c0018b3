// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * The framework's folder for this process: in the cache rather than in the folder for temporary
 * files, which may be mounted without the right to execute what it holds.
 *
 * <p>A lock on a file beside it tells whether its process is alive, also from another PID name
 * space. What a killed process left behind is removed by a later one.
 */
final class Storage implements AutoCloseable {
  // between the creation of a folder and the lock another process must not take it for abandoned
  private static final Duration YOUNG = Duration.ofMinutes(1);
  private static final String LOCK = "lock";

  private final Path root;
  private final Path folder;
  private final FileChannel lock;

  private Storage(Path root, Path folder, FileChannel lock) {
    this.root = root;
    this.folder = folder;
    this.lock = lock;
  }

  static Storage create(Path cache) throws IOException {
    Path root = Files.createDirectories(cache.resolve("run"));
    Path folder = Files.createTempDirectory(root, "vm-");
    FileChannel lock = openLock(folder);
    lock.lock();
    return new Storage(root, folder, lock);
  }

  Path folder() {
    return folder;
  }

  /** Removes what processes that are gone have left behind. */
  void removeAbandoned() throws IOException {
    Instant limit = Instant.now().minus(YOUNG);
    List<Path> others;
    try (Stream<Path> all = Files.list(root)) {
      others = all.filter(path -> !path.equals(folder)).toList();
    }
    for (Path other : others) {
      if (Files.getLastModifiedTime(other).toInstant().isBefore(limit) && isAbandoned(other)) {
        FileTree.delete(other);
      }
    }
  }

  private static boolean isAbandoned(Path other) throws IOException {
    try (FileChannel channel = openLock(other);
        var held = channel.tryLock()) {
      return held != null;
    } catch (OverlappingFileLockException e) {
      return false; // held by this very process
    }
  }

  private static FileChannel openLock(Path folder) throws IOException {
    return FileChannel.open(
        folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  @Override
  public void close() throws IOException {
    FileTree.delete(folder);
    lock.close();
  }
}
