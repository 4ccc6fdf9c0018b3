// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes an archive in the "newc" form that Linux takes as an initramfs and cpio(1) unpacks
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
final class Cpio implements AutoCloseable {
  private static final int DIRECTORY = 0040755;
  private static final int PROGRAM = 0100755;
  private static final int CHARACTER_DEVICE = 0020600;

  private final OutputStream out;
  private int inode;
  private long written;

  Cpio(Path archive) throws IOException {
    out = new BufferedOutputStream(Files.newOutputStream(archive));
  }

  void directory(String name) throws IOException {
    entry(name, DIRECTORY, new byte[0], 0, 0);
  }

  void program(String name, byte[] content) throws IOException {
    entry(name, PROGRAM, content, 0, 0);
  }

  void characterDevice(String name, int major, int minor) throws IOException {
    entry(name, CHARACTER_DEVICE, new byte[0], major, minor);
  }

  private void entry(String name, int mode, byte[] content, int major, int minor)
      throws IOException {
    byte[] path = (name + "\0").getBytes(StandardCharsets.US_ASCII);
    int links = mode == DIRECTORY ? 2 : 1;
    int time = 0;
    int[] fields = {
      ++inode, mode, 0, 0, links, time, content.length, 0, 0, major, minor, path.length, 0
    };
    StringBuilder header = new StringBuilder("070701");
    for (int field : fields) {
      header.append(String.format(Locale.ROOT, "%08x", field));
    }
    write(header.toString().getBytes(StandardCharsets.US_ASCII));
    write(path);
    align();
    write(content);
    align();
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes);
    written += bytes.length;
  }

  private void align() throws IOException {
    while (written % 4 != 0) {
      write(new byte[1]);
    }
  }

  @Override
  public void close() throws IOException {
    inode = -1;
    entry("TRAILER!!!", 0, new byte[0], 0, 0);
    out.close();
  }
}
