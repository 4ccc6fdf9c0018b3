// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A thread that waits until a descriptor is ready and says so once for each time it is asked. */
final class Readiness {
  private static final int ENTRY = 8;
  private static final long JOIN_MILLIS = 1000;

  private final int fd;
  private final Runnable onReady;
  private final int wakeFd;
  private final Thread thread;
  private final ByteBuffer entries =
      ByteBuffer.allocateDirect(2 * ENTRY).order(ByteOrder.nativeOrder());
  private final ByteBuffer counter =
      ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
  private final ByteBuffer drained =
      ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
  private short wanted;
  private boolean stopping;

  /**
   * Starts the thread.
   *
   * @param onReady called on that thread; what was waited for is not waited for again until asked
   */
  Readiness(String name, int fd, Runnable onReady) throws IOException {
    this.fd = fd;
    this.onReady = onReady;
    counter.putLong(0, 1);
    wakeFd = LibC.eventfd(0, LibC.O_CLOEXEC | LibC.O_NONBLOCK);
    if (wakeFd < 0) {
      throw LibC.error("eventfd");
    }
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Waits for these events, too. Any thread. */
  synchronized void want(short events) {
    if ((wanted | events) != wanted) {
      wanted |= events;
      LibC.write(wakeFd, counter, Long.BYTES);
    }
  }

  /** Ends the thread. */
  void close() {
    synchronized (this) {
      stopping = true;
      LibC.write(wakeFd, counter, Long.BYTES);
    }
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!thread.isAlive()) {
      // never under a thread that polls it: the number could soon be another file's
      LibC.close(wakeFd);
    }
  }

  private synchronized boolean prepare() {
    entry(0, wakeFd, LibC.POLLIN);
    entry(1, wanted == 0 ? -1 : fd, wanted);
    return !stopping;
  }

  private void entry(int place, int descriptor, short events) {
    entries.putInt(place * ENTRY, descriptor).putInt(place * ENTRY + 4, events & 0xffff);
  }

  private synchronized boolean isReady() {
    if (entries.getShort(6) != 0) {
      LibC.read(wakeFd, drained, Long.BYTES);
    }
    boolean ready = entries.getShort(ENTRY + 6) != 0;
    if (ready) {
      wanted = 0;
    }
    return ready && !stopping;
  }

  private void run() {
    while (prepare()) {
      if (LibC.poll(entries, 2, -1) > 0 && isReady()) {
        onReady.run();
      }
    }
  }
}
