// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;
import org.plex86.hal.disk.qcow2.Qcow2Creator;

/** Makes image files. Messages of exceptions are one line for the user. */
public final class ImageMaker {
  /** What is copied at a time, and the unit of what is left out because it is zeros. */
  private static final int PIECE = 1 << 20;

  private static final int ZERO_UNIT = 64 << 10;

  private ImageMaker() {}

  /**
   * Makes an image that reads as zeros, or as the image below it.
   *
   * @param format {@code raw} or {@code qcow2}
   * @param backing the image below; null: none. For qcow2 only
   * @param backingFormat its format, not null where there is one
   */
  public static void create(
      Path path, String format, long size, String backing, String backingFormat)
      throws IOException {
    try (DiskFile file = DiskFile.create(path)) {
      boolean made = false;
      try {
        if (format.equals(Images.RAW)) {
          file.truncate(size);
        } else {
          Qcow2Creator.create(file, size, Qcow2Creator.CLUSTER_BITS, backing, backingFormat);
        }
        made = true;
      } finally {
        if (!made) {
          Files.deleteIfExists(path);
        }
      }
    } catch (IOException e) {
      throw named(path, e);
    }
  }

  private static IOException named(Path path, IOException e) {
    return e.getMessage() != null && e.getMessage().startsWith("'")
        ? e
        : new IOException("'" + path + "' cannot be made: " + e.getMessage(), e);
  }

  /** Copies what an image holds, leaving out what is zeros, into a new one. */
  public static void convert(DiskImage from, Path path, String format) throws IOException {
    create(path, format, from.size(), null, null);
    boolean done = false;
    try (OpenFiles files = new OpenFiles();
        DiskImage to = files.image(path, format, true)) {
      copy(from, to);
      to.flush();
      done = true;
    } finally {
      if (!done) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static void copy(DiskImage from, DiskImage to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
    IoVector vector = IoVector.of(buffer);
    for (long at = from.nextData(0); at < from.size(); at = from.nextData(at)) {
      int length = (int) Math.min(PIECE - at % PIECE, from.size() - at);
      from.read(at, vector.slice(0, length));
      int start = -1; // of what is to be written, in the buffer
      for (int unit = 0; unit < length; unit += ZERO_UNIT) {
        boolean zeros = isZeros(buffer, unit, Math.min(length, unit + ZERO_UNIT));
        if (zeros && start >= 0) {
          to.write(at + start, vector.slice(start, unit - start));
          start = -1;
        } else if (!zeros && start < 0) {
          start = unit;
        }
      }
      if (start >= 0) {
        to.write(at + start, vector.slice(start, length - start));
      }
      at += length;
    }
  }

  private static boolean isZeros(ByteBuffer buffer, int from, int to) {
    int at = from;
    for (; at + Long.BYTES <= to; at += Long.BYTES) {
      if (buffer.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < to; at++) {
      if (buffer.get(at) != 0) {
        return false;
      }
    }
    return true;
  }
}
