// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The bundles that the runnable jar carries, unpacked once into the cache: the framework then opens
 * them where they are, and nothing is copied at a start.
 *
 * <p>The jar's entry {@code bundles/index} has the line {@code id HEX}, a hash over all bundles,
 * and then a line {@code WHEN NAME} for each bundle in the order of their start.
 */
public final class BundleStore {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{16,128}");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]+");
  // older sets of bundles are removed, but not those that a running virtual machine may still use
  private static final Duration KEEP = Duration.ofDays(7);

  private final ClassLoader jar;
  private final Path root;

  /**
   * Makes a store.
   *
   * @param jar finds the entries of the runnable jar
   * @param cache the project's cache folder
   */
  public BundleStore(ClassLoader jar, Path cache) {
    this.jar = jar;
    this.root = cache.resolve("bundles");
  }

  /**
   * The bundles as files, in the order of their start. Unpacks them where that was not done yet.
   */
  public List<StoredBundle> unpack() throws IOException {
    String id = "";
    List<StoredBundle> entries = new ArrayList<>();
    for (String line : index()) {
      String[] words = line.split(" ");
      if (words.length != 2) {
        throw new IOException("the runnable jar has a damaged index; build it again");
      }
      if (words[0].equals("id") && ID.matcher(words[1]).matches()) {
        id = words[1];
      } else if (NAME.matcher(words[1]).matches()) {
        entries.add(new StoredBundle(StoredBundle.When.valueOf(words[0]), Path.of(words[1])));
      }
    }
    Path folder = root.resolve(id);
    if (!Files.isDirectory(folder)) {
      unpackTo(folder, entries);
    }
    return entries.stream().map(e -> new StoredBundle(e.when(), folder.resolve(e.file()))).toList();
  }

  private List<String> index() throws IOException {
    try (InputStream in = open("index")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.isEmpty())
          .toList();
    }
  }

  private InputStream open(String name) throws IOException {
    InputStream in = jar.getResourceAsStream("bundles/" + name);
    if (in == null) {
      throw new FileNotFoundException("the runnable jar has no bundles/" + name);
    }
    return in;
  }

  /** Unpacks beside and renames, so that a folder with the final name is always complete. */
  private void unpackTo(Path folder, List<StoredBundle> entries) throws IOException {
    Files.createDirectories(root);
    removeOld();
    Path part = Files.createTempDirectory(root, "part-");
    try {
      for (StoredBundle entry : entries) {
        try (InputStream in = open(entry.file().toString())) {
          Files.copy(in, part.resolve(entry.file()));
        }
      }
      Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      FileTree.delete(part); // another process was faster; its copy is the same
    } catch (IOException e) {
      FileTree.delete(part);
      throw e;
    }
  }

  private void removeOld() throws IOException {
    Instant limit = Instant.now().minus(KEEP);
    List<Path> old;
    try (Stream<Path> all = Files.list(root)) {
      old = all.filter(path -> modified(path).isBefore(limit)).toList();
    }
    old.forEach(FileTree::delete);
  }

  private static Instant modified(Path path) {
    try {
      return Files.getLastModifiedTime(path).toInstant();
    } catch (IOException e) {
      return Instant.MAX; // gone already
    }
  }
}
