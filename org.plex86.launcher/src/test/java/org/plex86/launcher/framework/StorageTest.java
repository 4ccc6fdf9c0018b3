// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StorageTest {
  @TempDir Path cache;

  private static void age(Path folder) throws IOException {
    Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
  }

  @Test
  void isGoneAfterClose() throws IOException {
    Path folder;
    try (Storage storage = Storage.create(cache)) {
      folder = storage.folder();
      Files.createDirectories(folder.resolve("a/b"));
      Files.writeString(folder.resolve("a/b/c"), "x");
    }
    assertThat(folder).doesNotExist();
  }

  @Test
  void removesWhatAKilledProcessLeft() throws IOException {
    Path left = Files.createDirectories(cache.resolve("run/vm-left/felix"));
    age(left.getParent());
    try (Storage storage = Storage.create(cache)) {
      storage.removeAbandoned();
    }
    assertThat(left).doesNotExist();
  }

  @Test
  void keepsWhatIsInUseAndWhatIsJustBeingMade() throws IOException {
    Path young = Files.createDirectories(cache.resolve("run/vm-young"));
    try (Storage other = Storage.create(cache);
        Storage storage = Storage.create(cache)) {
      age(other.folder());
      storage.removeAbandoned();
      assertThat(other.folder()).exists();
      assertThat(young).exists();
    }
  }
}
