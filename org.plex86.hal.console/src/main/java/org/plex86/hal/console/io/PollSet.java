// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Up to two file descriptors to wait for with poll(2). One thread. */
public final class PollSet {
  private static final int ENTRY = 8;
  private static final int EVENTS = 4;
  private static final int RETURNED = 6;

  private final ByteBuffer entries =
      ByteBuffer.allocateDirect(2 * ENTRY).order(ByteOrder.nativeOrder());

  /** Puts a descriptor at a place; a negative one is passed over. */
  public void set(int place, int fd, short events) {
    entries.putInt(place * ENTRY, fd);
    entries.putShort(place * ENTRY + EVENTS, events);
    entries.putShort(place * ENTRY + RETURNED, (short) 0);
  }

  /**
   * Waits for the first descriptors of the set. An interrupted wait counts as one that timed out.
   *
   * @param timeoutMillis -1 waits for ever
   */
  public void await(int count, int timeoutMillis) throws IOException {
    if (LibC.poll(entries, count, timeoutMillis) < 0) {
      for (int i = 0; i < count; i++) {
        entries.putShort(i * ENTRY + RETURNED, (short) 0);
      }
      if (LibC.errno() != LibC.EINTR && LibC.errno() != LibC.EAGAIN) {
        throw LibC.error("poll");
      }
    }
  }

  /** Whether the wait found anything at a place: readiness, an error or a hang-up. */
  public boolean ready(int place) {
    return entries.getShort(place * ENTRY + RETURNED) != 0;
  }

  /** Whether the wait found that the other end is closed. */
  public boolean hungUp(int place) {
    return (entries.getShort(place * ENTRY + RETURNED) & LibC.POLLHUP) != 0;
  }
}
