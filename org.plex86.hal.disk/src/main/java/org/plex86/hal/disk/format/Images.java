// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;
import org.plex86.hal.disk.qcow2.Qcow2Creator;
import org.plex86.hal.disk.qcow2.Qcow2Header;
import org.plex86.hal.disk.qcow2.Qcow2Image;

/** Opens images. Messages of exceptions are one line for the user. */
public final class Images {
  static final String RAW = "raw";
  static final String QCOW2 = "qcow2";
  private static final int QCOW2_MAGIC = 0x514649fb;

  /** How many images may be below each other. */
  private static final int CHAIN_MAX = 64;

  /**
   * Opens the files of an image, or gives those that were handed over. Whoever implements it closes
   * them if the image cannot be opened.
   */
  public interface Files {
    /** Opens a file and locks it. */
    DiskFile open(Path path, boolean writable) throws IOException;

    /** An empty file that is gone when it is closed, or one with what was written to it. */
    DiskFile temporary() throws IOException;
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
    DiskImage image = open(files, path, format, writable, state, new ArrayList<>());
    if (image.size() < 512) {
      throw new IOException("'" + path + "' is empty; plex86 disk create makes a disk");
    }
    return image;
  }

  /** Opens an image that stays as it is: what is written goes to a temporary one above it. */
  public static DiskImage openOverlay(
      Files files, Path path, String format, Map<String, Object> state) throws IOException {
    DiskImage base = open(files, path, format, false, Map.of());
    DiskFile file = files.temporary();
    if (file.size() == 0) {
      Qcow2Creator.create(file, base.size(), Qcow2Creator.CLUSTER_BITS, null, null);
    }
    return new Qcow2Image(file, Qcow2Header.read(file), base, false, state);
  }

  private static DiskImage open(
      Files files,
      Path path,
      String format,
      boolean writable,
      Map<String, Object> state,
      List<Object> chain)
      throws IOException {
    checkChain(path, chain);
    DiskFile file = files.open(path, writable);
    String known = format == null ? probe(file) : format;
    return switch (known) {
      case RAW -> new RawImage(file);
      case QCOW2 -> {
        Qcow2Header header = Qcow2Header.read(file);
        DiskImage backing =
            header.backingFile() == null
                ? null
                : open(
                    files,
                    backingPath(path, header.backingFile()),
                    header.backingFormat(),
                    false,
                    Map.of(),
                    chain);
        yield new Qcow2Image(file, header, backing, true, state);
      }
      default ->
          throw new IOException(
              "'"
                  + path
                  + "' has the format '"
                  + printable(known)
                  + "', which is not known; raw and qcow2 are");
    };
  }

  /** Refuses an image that is below itself, by whatever name. */
  private static void checkChain(Path path, List<Object> chain) throws IOException {
    Object key = path;
    try {
      key = java.nio.file.Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    } catch (IOException e) {
      // it will be told when it is opened; a file that was handed over may have lost its name
    }
    if (chain.contains(key)) {
      throw new IOException("'" + path + "' is its own backing file, perhaps by way of others");
    }
    if (chain.size() == CHAIN_MAX) {
      throw new IOException(
          "'" + path + "' has more than " + CHAIN_MAX + " images above it; convert one of them");
    }
    chain.add(key);
  }

  private static Path backingPath(Path image, String name) throws IOException {
    String plain = name.startsWith("file:") ? name.substring("file:".length()) : name;
    if (plain.startsWith("json:") || plain.matches("[A-Za-z][A-Za-z0-9+.-]*:.*")) {
      throw new IOException(
          "'%s' has the backing file '%s', which is not a path of this host"
              .formatted(image, printable(name)));
    }
    if (!printable(plain).equals(plain)) {
      // nobody names files so, and messages go to terminals
      throw new IOException(
          "'%s' is damaged: its backing file is named '%s'".formatted(image, printable(name)));
    }
    try {
      return image.toAbsolutePath().resolveSibling(plain);
    } catch (InvalidPathException e) {
      throw new IOException(
          "'%s' has the backing file '%s', which is no path".formatted(image, printable(name)), e);
    }
  }

  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", "?");
  }

  /**
   * The format of a file that nobody has named one for. What is in the file was perhaps written by
   * a guest, which must not be able to turn its raw disk into a qcow2 image that names files of the
   * host. So the name of the file, which no guest chooses, has to say the same.
   */
  static String probe(DiskFile file) throws IOException {
    boolean named = file.path().toString().toLowerCase(Locale.ROOT).endsWith(".qcow2");
    boolean magic = file.size() >= Integer.BYTES && magic(file) == QCOW2_MAGIC;
    if (named == magic) {
      return magic ? QCOW2 : RAW;
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
