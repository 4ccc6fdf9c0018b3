// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The bytes of a kernel or an initial RAM disk, wherever they are. One thread. */
public interface Image extends Closeable {
  /** What the user knows it by, such as its file name. */
  String name();

  /**
   * Fills a buffer from its position to its limit. Cheap when offsets go up from call to call.
   *
   * @param offset in bytes from the start, not negative
   * @throws java.io.EOFException the image ends before
   */
  void read(long offset, ByteBuffer into) throws IOException;
}
