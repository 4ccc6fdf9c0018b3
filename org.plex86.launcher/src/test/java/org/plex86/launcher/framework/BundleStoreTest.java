// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleStoreTest {
  private static final String ID = "0123456789abcdef";

  @TempDir Path jar;
  @TempDir Path cache;

  @BeforeEach
  void fill() throws IOException {
    Files.createDirectory(jar.resolve("bundles"));
    index("id " + ID + "\ninstall a.jar\nstart b.jar\n");
    Files.writeString(jar.resolve("bundles/a.jar"), "A");
    Files.writeString(jar.resolve("bundles/b.jar"), "B");
  }

  private void index(String text) throws IOException {
    Files.writeString(jar.resolve("bundles/index"), text);
  }

  private List<StoredBundle> unpack() throws IOException {
    try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
      return new BundleStore(loader, cache).unpack();
    }
  }

  @Test
  void unpacksInTheOrderOfTheIndex() throws IOException {
    assertThat(unpack())
        .containsExactly(
            new StoredBundle(StoredBundle.When.install, cache.resolve("bundles/" + ID + "/a.jar")),
            new StoredBundle(StoredBundle.When.start, cache.resolve("bundles/" + ID + "/b.jar")));
    assertThat(cache.resolve("bundles/" + ID + "/b.jar")).hasContent("B");
  }

  @Test
  void unpacksOnce() throws IOException {
    unpack();
    Files.writeString(cache.resolve("bundles/" + ID + "/a.jar"), "kept");
    unpack();
    assertThat(cache.resolve("bundles/" + ID + "/a.jar")).hasContent("kept");
  }

  @Test
  void failedUnpackingLeavesNothingThatLooksComplete() throws IOException {
    Files.delete(jar.resolve("bundles/b.jar"));
    assertThatThrownBy(this::unpack).isInstanceOf(IOException.class).hasMessageContaining("b.jar");
    assertThat(cache.resolve("bundles")).isEmptyDirectory();
  }

  @Test
  void nameThatLeavesTheFolderIsNotUnpacked() throws IOException {
    index("id " + ID + "\nstart ../../escaped.jar\nstart a.jar\n");
    assertThat(unpack()).hasSize(1);
  }

  @Test
  void setsOfBundlesThatAreLongUnusedAreRemoved() throws IOException {
    Path old = Files.createDirectories(cache.resolve("bundles/fedcba9876543210"));
    Path recent = Files.createDirectories(cache.resolve("bundles/0000000000000000"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(8))));
    unpack();
    assertThat(old).doesNotExist();
    assertThat(recent).exists();
  }
}
