// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An image in a file, read straight into guest memory. Not mapped: a file that is cut short
 * meanwhile must be an error, not a fault.
 */
final class FileImage implements Image {
  private final Path path;
  private final FileChannel channel;

  FileImage(Path path) throws BootException {
    this.path = path;
    if (Files.isDirectory(path)) {
      throw new BootException(path + " is a directory; give the name of a file");
    }
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new BootException("there is no file " + path + "; give one that is there", e);
    } catch (AccessDeniedException e) {
      throw new BootException("may not read " + path + "; give one that this user may", e);
    } catch (IOException e) {
      throw new BootException("cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String name() {
    return path.toString();
  }

  /** The length of the file in bytes. */
  long size() throws IOException {
    return channel.size();
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    long at = offset;
    while (into.hasRemaining()) {
      int n = channel.read(into, at);
      if (n <= 0) {
        throw new EOFException(path + " ends at byte " + at);
      }
      at += n;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
