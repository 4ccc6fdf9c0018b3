// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where an {@link OutputPump} puts its bytes. */
public interface ByteSink extends AutoCloseable {
  /**
   * Writes some of a direct buffer's bytes, from its first one on. May wait for up to 100 ms.
   *
   * @return how many bytes were written; 0 if the receiver takes none now
   */
  int write(ByteBuffer slice) throws IOException;

  @Override
  default void close() throws IOException {}
}
