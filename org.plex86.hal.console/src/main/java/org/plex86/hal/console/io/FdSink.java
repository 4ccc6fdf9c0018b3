// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A file descriptor that is written to with as little blocking as its kind allows. One thread. */
public final class FdSink implements ByteSink {
  /**
   * A pipe that polls as writable takes PIPE_BUF bytes without blocking (pipe(7)). Larger writes
   * could block for ever, in a thread that then cannot be stopped. O_NONBLOCK is no way: it would
   * hold for every process that shares the descriptor.
   */
  private static final int CHUNK = 4096;

  /** Short, as who wants to end the writing, for a change of drivers, say, waits for that. */
  private static final int WAIT_MILLIS = 20;

  private final int fd;
  private final String name;
  private final PollSet poll = new PollSet();

  /** A sink over a descriptor that stays its owner's. */
  public FdSink(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  @Override
  public int write(ByteBuffer slice) throws IOException {
    poll.set(0, fd, LibC.POLLOUT);
    poll.await(1, WAIT_MILLIS);
    if (!poll.ready(0)) {
      return 0;
    }
    long written = LibC.write(fd, slice, Math.min(slice.remaining(), CHUNK));
    if (written >= 0) {
      return (int) written;
    }
    if (LibC.errno() == LibC.EINTR || LibC.errno() == LibC.EAGAIN) {
      return 0;
    }
    throw LibC.error(name);
  }
}
