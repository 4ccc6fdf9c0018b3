// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Random;
import org.plex86.bench.result.Results;
import org.plex86.bench.subject.HostPrograms;

/**
 * The images that disks are measured on: full of random bytes, so that none is a hole.
 *
 * <p>They are written anew for each run, in pieces of a page: a file that was written or read in
 * large pieces is in the page cache in large folios, and ext4 looks at each page of a folio at a
 * small write (ext4_block_write_begin took three quarters of the CPU's time), so that by what
 * happened to the file before a write costs 2 us or 30, whoever writes.
 */
final class DiskImages {
  static final int MEGABYTES = 256;

  private static final int PAGE = 4096;

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

  /** A raw image. */
  Path raw() throws IOException {
    Path image = folder.resolve("disk.raw");
    System.err.println("bench: writing an image of " + MEGABYTES + " MiB");
    Random random = new Random(86);
    ByteBuffer page = ByteBuffer.allocateDirect(PAGE);
    byte[] bytes = new byte[PAGE];
    try (FileChannel file = create(image)) {
      for (int i = 0; i < MEGABYTES * ((1 << 20) / PAGE); i++) {
        random.nextBytes(bytes);
        file.write(page.clear().put(bytes).flip());
      }
      file.force(true);
    }
    return image;
  }

  private static FileChannel create(Path file) throws IOException {
    Files.deleteIfExists(file); // its pages in the cache go with it
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /** The same in qcow2, made by qemu-img; empty, with a note, where that is missing. */
  Optional<Path> qcow2(Path raw) throws IOException, InterruptedException {
    Path image = folder.resolve("disk.qcow2");
    Path part = folder.resolve("qcow2.part");
    try {
      Process convert =
          new ProcessBuilder("qemu-img", "convert", "-O", "qcow2", raw.toString(), part.toString())
              .redirectErrorStream(true)
              .start();
      String said =
          new String(convert.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (convert.waitFor() == 0) {
        copyInPages(part, image);
        return Optional.of(image);
      }
      results.note("qcow2 is left out: qemu-img convert: " + said);
    } catch (IOException e) {
      if (HostPrograms.find("qemu-img").isPresent()) {
        throw e;
      }
      results.note("qcow2 is left out: qemu-img is not installed: apt-get install qemu-utils");
    } finally {
      Files.deleteIfExists(part);
    }
    return Optional.empty();
  }

  private static void copyInPages(Path from, Path to) throws IOException {
    ByteBuffer page = ByteBuffer.allocateDirect(PAGE);
    try (FileChannel in = FileChannel.open(from);
        FileChannel out = create(to)) {
      while (in.read(page.clear()) > 0) {
        out.write(page.flip());
      }
      out.force(true);
    }
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
