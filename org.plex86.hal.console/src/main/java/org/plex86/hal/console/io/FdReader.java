// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A thread that reads a file descriptor and can be stopped at any time: it waits with poll(2) for
 * the descriptor and for an eventfd of its own, and reads only what is there.
 */
public final class FdReader implements AutoCloseable {
  /** What becomes of the bytes. Called on the reader's thread. */
  public interface Handler {
    /** How many bytes can be taken now; 0 stops the reading until {@link FdReader#roomAgain}. */
    int room();

    /** Bytes in a buffer that is valid during the call, at most {@link #room}. */
    void bytes(ByteBuffer bytes);

    /** Nothing more will come: the end of the file (no cause), or a failure. Called once. */
    void ended(IOException cause);

    /** Time has passed; see the constructor. */
    default void tick() {}
  }

  private static final int CHUNK = 1 << 16;
  private static final long JOIN_MILLIS = 1000;

  private final int fd;
  private final boolean terminal;
  private final int tickMillis;
  private final Handler handler;
  private final WakeUp wakeUp = new WakeUp();
  private final Thread thread;
  private final PollSet poll = new PollSet();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK);
  private volatile boolean stopping;
  private volatile boolean held;

  /**
   * A reader that is not started yet.
   *
   * @param terminal whether the descriptor is a terminal, whose hang-up is seen even while there is
   *     no room for bytes
   * @param tickMillis the time between ticks, in milliseconds; -1: none
   */
  public FdReader(String threadName, int fd, boolean terminal, int tickMillis, Handler handler)
      throws IOException {
    this.fd = fd;
    this.terminal = terminal;
    this.tickMillis = tickMillis;
    this.handler = handler;
    thread = new Thread(this::run, threadName);
    thread.setDaemon(true);
  }

  public void start() {
    thread.start();
  }

  /** To be called after room was made. Any thread. Cheap when the reader does not wait for room. */
  public void roomAgain() {
    if (held) {
      wakeUp.wake();
    }
  }

  /** Stops the reading: no byte is taken from the descriptor after this returns. */
  @Override
  public void close() {
    stopping = true;
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean ended = thread.getState() == Thread.State.NEW;
    if (!ended) {
      wakeUp.wake();
      try {
        thread.join(JOIN_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      ended = !thread.isAlive();
    }
    if (ended) {
      wakeUp.close();
    }
  }

  private void run() {
    IOException failure = null;
    try {
      long lastTick = System.nanoTime();
      while (!stopping) {
        int room = room();
        poll.set(0, wakeUp.fd(), LibC.POLLIN);
        poll.set(1, room > 0 || terminal ? fd : -1, room > 0 ? LibC.POLLIN : 0);
        poll.await(2, tickMillis);
        if (poll.ready(0)) {
          wakeUp.drain();
        }
        if (stopping) {
          return;
        }
        if (poll.ready(1) && !readSome(room)) {
          break;
        }
        if (tickMillis >= 0 && System.nanoTime() - lastTick >= tickMillis * 1_000_000L) {
          lastTick = System.nanoTime();
          handler.tick();
        }
      }
    } catch (IOException e) {
      failure = e;
    }
    if (!stopping) {
      handler.ended(failure);
    }
  }

  private int room() {
    int room = handler.room();
    if (room == 0) {
      // Room that is made between the two questions would otherwise not be noticed.
      held = true;
      room = handler.room();
    }
    if (room > 0) {
      held = false;
    }
    return room;
  }

  /** Reads once; false at the end of the file. */
  private boolean readSome(int room) throws IOException {
    if (room == 0) {
      return false;
    }
    long count = LibC.read(fd, buffer, Math.min(room, CHUNK));
    if (count > 0) {
      handler.bytes(buffer.slice(0, (int) count));
      return true;
    }
    if (count < 0) {
      if (LibC.errno() == LibC.EINTR || LibC.errno() == LibC.EAGAIN) {
        return true;
      }
      throw LibC.error("read");
    }
    return false;
  }
}
