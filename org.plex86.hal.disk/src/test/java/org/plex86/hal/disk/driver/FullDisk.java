// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.plex86.hal.disk.format.ImageMaker;

/**
 * A guest on a file system of 4 MiB that gets full, and then not. Run in a mount namespace of its
 * own: see {@link FullDiskTest}.
 */
final class FullDisk {
  private static final int PIECE = 64 << 10;
  private static final int DISK = 8 << 20;

  private FullDisk() {}

  /** Arguments: the folder that the file system is mounted at, the format. */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    Path ballast = Files.write(folder.resolve("ballast"), new byte[1 << 20]);
    Path file = folder.resolve("disk." + args[1]);
    ImageMaker.create(file, args[1], DISK, null, null);
    try (DiskGuest guest = new DiskGuest("file", file.toString())) {
      boolean[] written = new boolean[DISK / PIECE];
      int failed = write(guest, written);
      require(failed > 10 && failed < written.length - 10, failed + " requests failed");
      require(guest.slot.errors().stream().distinct().count() == 1, guest.slot.errors().toString());
      require(guest.slot.errors().get(0).startsWith("cannot write '"), "not the right error");
      verify(guest, written);
      Files.delete(ballast);
      int missing = written.length - 1;
      require(!written[missing], "nothing is missing");
      require(
          guest.ask(guest.write((long) missing * (PIECE / 512), piece(missing))).status() == 0,
          "does not recover when there is room again");
      written[missing] = true;
      verify(guest, written);
    }
    System.out.println("as it should be");
  }

  private static byte[] piece(int number) {
    byte[] bytes = new byte[PIECE];
    Arrays.fill(bytes, (byte) (number + 1));
    return bytes;
  }

  private static int write(DiskGuest guest, boolean[] written) {
    int failed = 0;
    for (int i = 0; i < written.length; i++) {
      int status = guest.ask(guest.write((long) i * (PIECE / 512), piece(i))).status();
      written[i] = status == DiskGuest.OK;
      failed += status == DiskGuest.IO_ERROR ? 1 : 0;
    }
    return failed;
  }

  private static void verify(DiskGuest guest, boolean[] written) {
    for (int i = 0; i < written.length; i++) {
      DiskGuest.Answer answer = guest.ask(guest.read((long) i * (PIECE / 512), PIECE));
      require(answer.status() == DiskGuest.OK, "a read failed");
      require(!written[i] || Arrays.equals(answer.data(), piece(i)), "piece " + i + " is wrong");
    }
  }

  private static void require(boolean good, String what) {
    if (!good) {
      throw new AssertionError(what);
    }
  }
}
