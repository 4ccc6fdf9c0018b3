// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Takes a file out of an uncompressed "newc" archive, such as an initramfs. */
final class CpioReader {
  private static final String MAGIC = "070701";
  private static final int HEADER = 110;
  private static final int FIELD_SIZE = 6;
  private static final int FIELD_NAME_SIZE = 11;

  private final byte[] archive;

  CpioReader(Path archive) throws IOException {
    this.archive = Files.readAllBytes(archive);
  }

  /** The content of the file {@code name}, which has no leading slash. */
  byte[] content(String name) throws IOException {
    int at = 0;
    while (at + HEADER <= archive.length && text(at, MAGIC.length()).equals(MAGIC)) {
      int size = field(at, FIELD_SIZE);
      int nameSize = field(at, FIELD_NAME_SIZE);
      String entry = text(at + HEADER, nameSize - 1);
      int data = align(at + HEADER + nameSize);
      if (entry.equals(name) || entry.equals("/" + name)) {
        return Arrays.copyOfRange(archive, data, data + size);
      }
      at = align(data + size);
    }
    throw new IOException("the initramfs of the guest image holds no " + name);
  }

  private int field(int header, int number) {
    return Integer.parseInt(text(header + MAGIC.length() + 8 * number, 8), 16);
  }

  private String text(int from, int length) {
    return new String(archive, from, length, StandardCharsets.ISO_8859_1);
  }

  private static int align(int offset) {
    return (offset + 3) & ~3;
  }
}
