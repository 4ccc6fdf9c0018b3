// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A descriptor that ends a wait in poll(2): an eventfd(2). */
public final class Wakeup implements AutoCloseable {
  private final int fd;
  private final ByteBuffer one = counter().putLong(0, 1);
  private final ByteBuffer drained = counter();

  /** Not woken. */
  public Wakeup() throws IOException {
    fd = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
    if (fd < 0) {
      throw LibC.error("eventfd");
    }
  }

  private static ByteBuffer counter() {
    return ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
  }

  /** What to wait for, with {@link LibC#POLLIN}. */
  public int fd() {
    return fd;
  }

  /** Ends the wait, or the next one. Any thread. */
  public void wake() {
    LibC.write(fd, one, Long.BYTES);
  }

  /** The wait has ended. For the thread that waits. */
  public void clear() {
    LibC.read(fd, drained, Long.BYTES);
  }

  /** To be called when nobody waits or wakes any more. */
  @Override
  public void close() {
    LibC.close(fd);
  }
}
