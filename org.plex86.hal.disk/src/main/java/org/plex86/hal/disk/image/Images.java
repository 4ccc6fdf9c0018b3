// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/** Opens images. Messages of exceptions are one line for the user. */
public final class Images {
  private static final int QCOW2_MAGIC = 0x514649fb;
  private static final String QCOW2 = "qcow2";

  /**
   * Opens the files of an image, or gives those that were handed over. Whoever implements it closes
   * them if the image cannot be opened.
   */
  public interface Files {
    /** Opens a file and locks it. */
    DiskFile open(Path path, boolean writable) throws IOException;
  }

  private Images() {}

  /**
   * Opens an image and the images below it.
   *
   * @param format {@code raw}, {@code qcow2}, or null to find out
   * @param state of {@link DiskImage#suspend}, or empty
   */
  public static DiskImage open(
      Files files, Path path, String format, boolean writable, Map<String, Object> state)
      throws IOException {
    DiskFile file = files.open(path, writable);
    String known = format == null ? probe(file) : format;
    return switch (known) {
      case RawImage.FORMAT -> raw(file);
      default -> throw new IOException("'" + known + "' is no format; give raw or qcow2");
    };
  }

  private static DiskImage raw(DiskFile file) throws IOException {
    RawImage image = new RawImage(file);
    if (image.size() == 0) {
      throw new IOException(
          "'%s' is empty; plex86 disk create makes a disk".formatted(file.path()));
    }
    return image;
  }

  /**
   * The format of a file that the user has not named one for. What is in the file was perhaps
   * written by a guest, which must not be able to turn its raw disk into a qcow2 image that names
   * files of the host. So the name of the file, which no guest chooses, has to say the same.
   */
  static String probe(DiskFile file) throws IOException {
    boolean named = file.path().toString().toLowerCase(java.util.Locale.ROOT).endsWith(".qcow2");
    boolean magic = file.size() >= Integer.BYTES && magic(file) == QCOW2_MAGIC;
    if (named == magic) {
      return magic ? QCOW2 : RawImage.FORMAT;
    }
    throw new IOException(
        named
            ? "'%s' is named as a qcow2 image, but is none; give format=raw if it is a raw one"
                .formatted(file.path())
            : "'%s' begins as a qcow2 image does, but is not named .qcow2; give format=qcow2 or format=raw"
                .formatted(file.path()));
  }

  private static int magic(DiskFile file) throws IOException {
    ByteBuffer start = ByteBuffer.allocateDirect(Integer.BYTES);
    file.read(0, IoVector.of(start));
    return start.getInt(0);
  }
}
