// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Random;
import org.plex86.bench.result.Results;

/** The images that disks are measured on: full of random bytes, so that none is a hole. */
final class DiskImages {
  static final int MEGABYTES = 256;

  private final Path folder;
  private final Results results;

  /**
   * In a folder on a disk.
   *
   * @throws IOException it cannot be made, or the disk is full
   */
  DiskImages(Path folder, Results results) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.results = results;
    if (Files.getFileStore(folder).type().equals("tmpfs")) {
      results.note("the images are on a tmpfs (" + folder + "): no disk is measured");
    }
  }

  /** A raw image, made once. */
  Path raw() throws IOException {
    Path image = folder.resolve("disk.raw");
    if (!Files.exists(image)) {
      System.err.println("bench: writing an image of " + MEGABYTES + " MiB");
      Path part = folder.resolve("disk.part");
      Random random = new Random(86);
      byte[] piece = new byte[1 << 20];
      try (FileChannel file =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        for (int i = 0; i < MEGABYTES; i++) {
          random.nextBytes(piece);
          file.write(ByteBuffer.wrap(piece));
        }
        file.force(true);
      }
      Files.move(part, image, StandardCopyOption.ATOMIC_MOVE);
    }
    return image;
  }

  /** The same in qcow2, made by qemu-img; empty, with a note, where that is missing. */
  Optional<Path> qcow2() throws IOException, InterruptedException {
    Path image = folder.resolve("disk.qcow2");
    if (Files.exists(image)) {
      return Optional.of(image);
    }
    Path part = folder.resolve("qcow2.part");
    try {
      Process convert =
          new ProcessBuilder(
                  "qemu-img", "convert", "-O", "qcow2", raw().toString(), part.toString())
              .redirectErrorStream(true)
              .start();
      String said =
          new String(convert.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (convert.waitFor() == 0) {
        Files.move(part, image, StandardCopyOption.ATOMIC_MOVE);
        return Optional.of(image);
      }
      results.note("qcow2 is left out: qemu-img convert: " + said);
    } catch (IOException e) {
      results.note("qcow2 is left out: qemu-img is not installed: apt-get install qemu-utils");
    }
    return Optional.empty();
  }

  /** What was written so far is on the disk: the next one measured does not pay for it. */
  void flush() throws IOException {
    for (String name : new String[] {"disk.raw", "disk.qcow2"}) {
      Path image = folder.resolve(name);
      if (Files.exists(image)) {
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.WRITE)) {
          file.force(true);
        }
      }
    }
  }
}
