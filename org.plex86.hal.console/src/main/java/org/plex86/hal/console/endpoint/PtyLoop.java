// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.io.PollSet;
import org.plex86.hal.console.io.Wakeup;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * Moves bytes between a pseudo-terminal and two buffers. Whether anybody has it open is seen by the
 * hang-up that poll(2) tells as long as nobody has.
 */
final class PtyLoop extends ClientLoop {
  /** How often it is looked whether somebody has come, or changed the window's size. */
  private static final int TICK_MILLIS = 100;

  private static final int CHUNK = 1 << 12;
  private static final int WAKE = 0;
  private static final int TERMINAL = 1;

  private final Pty pty;
  private final Wakeup wakeup = new Wakeup();
  private final PollSet poll = new PollSet();
  private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
  private WindowSize size = WindowSize.UNKNOWN;

  PtyLoop(Pty pty, ByteRing input, ByteRing output, Events events) throws IOException {
    super(input, output, events);
    this.pty = pty;
  }

  @Override
  void wake() {
    wakeup.wake();
  }

  /** After the loop's end. */
  void close() {
    wakeup.close();
  }

  /** Until there is something to do, or for a tick. Without a client poll(2) never waits. */
  @Override
  void await() throws IOException {
    poll.set(WAKE, wakeup.fd(), LibC.POLLIN);
    int wanted = (input.free() > 0 ? LibC.POLLIN : 0) | (output.size() > 0 ? LibC.POLLOUT : 0);
    poll.set(TERMINAL, hasClient() ? pty.fd() : -1, (short) wanted);
    poll.await(2, TICK_MILLIS);
    if (poll.ready(WAKE)) {
      wakeup.clear();
    }
  }

  @Override
  void serve() throws IOException {
    receive(); // also from a client that has come and gone between two ticks
    boolean open = isOpen();
    if (open && !hasClient()) {
      events.connected();
    } else if (!open && hasClient()) {
      pty.reset();
      left();
    }
    if (hasClient()) {
      send();
      followSize();
    }
  }

  private boolean isOpen() throws IOException {
    poll.set(TERMINAL, pty.fd(), (short) 0);
    poll.set(WAKE, -1, (short) 0);
    poll.await(2, 0);
    return !poll.ready(TERMINAL);
  }

  private void receive() throws IOException {
    for (int room; (room = input.free()) > 0; ) {
      chunk.clear();
      long count = LibC.read(pty.fd(), chunk, Math.min(CHUNK, room));
      if (count <= 0) {
        if (count < 0 && !isPassing(LibC.errno())) {
          throw LibC.error("the pseudo-terminal cannot be read");
        }
        return;
      }
      chunk.limit((int) count);
      input.put(chunk);
      events.inputReady();
    }
  }

  /** EIO is how a read tells that nobody has the other side open. */
  private static boolean isPassing(int errno) {
    return errno == LibC.EAGAIN || errno == LibC.EINTR || errno == LibC.EIO;
  }

  private void send() throws IOException {
    boolean wrote = false;
    while (output.size() > 0) {
      ByteBuffer front = output.front();
      long count = LibC.write(pty.fd(), front, front.remaining());
      if (count <= 0) {
        if (count < 0 && !isPassing(LibC.errno())) {
          throw LibC.error("the pseudo-terminal cannot be written");
        }
        break;
      }
      output.consume((int) count);
      wrote = true;
    }
    sent(wrote);
  }

  private void followSize() {
    WindowSize now = pty.size();
    if (!now.equals(size)) {
      size = now;
      events.resized(now);
    }
  }
}
