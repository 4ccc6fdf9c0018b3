// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * An image that can only be read from its start, such as an entry of a jar or what a compressed
 * payload holds. Going back opens it again.
 */
final class StreamImage implements Image {
  /** Opens the stream at its start. */
  interface Opener {
    InputStream open() throws IOException;
  }

  private static final int CHUNK = 1 << 16;

  private final String name;
  private final Opener opener;
  private final byte[] chunk = new byte[CHUNK];
  private InputStream stream;
  private long position;

  StreamImage(String name, Opener opener) {
    this.name = name;
    this.opener = opener;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    if (stream == null || offset < position) {
      close();
      stream = opener.open();
      position = 0;
    }
    while (position < offset) {
      position += fill((int) Math.min(CHUNK, offset - position));
    }
    while (into.hasRemaining()) {
      int n = fill(Math.min(CHUNK, into.remaining()));
      into.put(chunk, 0, n);
      position += n;
    }
  }

  /** Reads the rest of the stream, at most a number of bytes and one more. */
  byte[] readAll(int most) throws IOException {
    try (InputStream all = opener.open()) {
      return all.readNBytes(most == Integer.MAX_VALUE ? most : most + 1);
    }
  }

  private int fill(int most) throws IOException {
    int n = stream.read(chunk, 0, most);
    if (n <= 0) {
      throw new EOFException(name + " ends at byte " + position);
    }
    return n;
  }

  @Override
  public void close() throws IOException {
    if (stream != null) {
      stream.close();
      stream = null;
    }
  }
}
