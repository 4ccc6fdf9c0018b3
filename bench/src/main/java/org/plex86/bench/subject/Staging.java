// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Makes the files that instances are started with, in a directory that ends with this JVM. */
public final class Staging {
  /** The name of the workload's script beside its files. */
  static final String SCRIPT = "run.sh";

  private static final String PREFIX = "plex86-bench-";

  private final Path directory;
  private final Map<List<Object>, Path> written = new HashMap<>();
  private int count;

  public Staging() throws IOException {
    directory = create();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory), "delete-staging"));
  }

  /** What a run that was killed has left. */
  private static void deleteStale(Path parent) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path place : left) {
        String pid = place.getFileName().toString().replaceAll("^" + PREFIX + "([0-9]+)-.*", "$1");
        if (pid.matches("[0-9]+") && ProcessHandle.of(Long.parseLong(pid)).isEmpty()) {
          delete(place);
        }
      }
    }
  }

  /** On a tmpfs that allows programs if there is one, so that no disk is measured. */
  private static Path create() throws IOException {
    Path shm = Path.of("/dev/shm");
    String prefix = PREFIX + ProcessHandle.current().pid() + "-";
    if (Files.isWritable(shm)) {
      deleteStale(shm);
      Path inMemory = Files.createTempDirectory(shm, prefix);
      Path probe = Files.writeString(inMemory.resolve("probe"), "#!/bin/sh\n");
      Files.setPosixFilePermissions(probe, PosixFilePermissions.fromString("rwx------"));
      if (Files.isExecutable(probe)) {
        Files.delete(probe);
        return inMemory;
      }
      Files.delete(probe);
      Files.delete(inMemory);
    }
    return Files.createTempDirectory(prefix);
  }

  /** Writes a file's content. */
  interface Writer {
    void write(Path file) throws IOException;
  }

  /**
   * The file for this kind of use and this workload, written at its first use: every start after
   * that takes the same.
   */
  synchronized Path once(String kind, Workload workload, Writer writer) throws IOException {
    List<Object> key = List.of(kind, workload);
    Path file = written.get(key);
    if (file == null) {
      file = file(".image");
      writer.write(file);
      written.put(key, file);
    }
    return file;
  }

  synchronized Path file(String suffix) {
    return directory.resolve(++count + suffix);
  }

  /** A directory with the workload's files and its script. */
  Path directory(Workload workload, Path busybox) throws IOException {
    Path place = Files.createDirectory(file(".d"));
    for (Path file : contents(workload, busybox)) {
      Path copy = place.resolve(file.getFileName());
      Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
      Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwx------"));
    }
    Files.writeString(place.resolve(SCRIPT), workload.script());
    return place;
  }

  /** An archive of the same, with {@code prefix} before each name. */
  void archive(Cpio cpio, String prefix, Workload workload, Path busybox) throws IOException {
    for (Path file : contents(workload, busybox)) {
      cpio.program(prefix + file.getFileName(), Files.readAllBytes(file));
    }
    cpio.program(prefix + SCRIPT, workload.script().getBytes(StandardCharsets.UTF_8));
  }

  private static List<Path> contents(Workload workload, Path busybox) {
    List<Path> contents = new ArrayList<>(workload.files());
    if (!contents.isEmpty()) {
      contents.add(busybox);
    }
    return contents;
  }

  static void delete(Path directory) {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      System.err.println("bench: cannot delete " + directory + ": " + e.getMessage());
    }
  }
}
