// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An eventfd that ends a wait with poll(2). */
public final class WakeUp implements AutoCloseable {
  private final int fd;
  private final ByteBuffer value = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());

  public WakeUp() throws IOException {
    fd = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
    if (fd < 0) {
      throw LibC.error("eventfd");
    }
  }

  /** What to wait for, as readable. */
  public int fd() {
    return fd;
  }

  /** Ends the wait, or the next one. Any thread. */
  public synchronized void wake() {
    value.putLong(0, 1);
    LibC.write(fd, value, Long.BYTES);
  }

  /** To be called after a wait that this has ended. */
  public synchronized void drain() {
    LibC.read(fd, value, Long.BYTES);
  }

  /** Never under a thread that still waits: the number could soon be another file's. */
  @Override
  public void close() {
    LibC.close(fd);
  }
}
