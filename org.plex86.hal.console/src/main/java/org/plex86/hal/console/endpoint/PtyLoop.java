// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.io.LibC.IoError;
import org.plex86.hal.console.io.PollSet;
import org.plex86.hal.console.io.WakeUp;
import org.plex86.hal.console.terminal.PseudoTerminal;

/**
 * Moves bytes between a pseudo-terminal and two buffers. The client is whatever program has the
 * other end open, be it one or several.
 */
final class PtyLoop implements ClientLoop {
  /** What happens, besides. Called on the loop's thread. */
  interface Ticks {
    /** Time has passed. */
    void tick();
  }

  /**
   * How soon a client that comes is noticed: poll(2) does not tell. Also the time between ticks.
   */
  static final int TICK_MILLIS = 100;

  private static final int CHUNK = 1 << 12;
  private static final int WAKE = 0;
  private static final int PTY = 1;

  private final PseudoTerminal pty;
  private final ByteRing input;
  private final ByteRing output;
  private final Events events;
  private final Ticks ticks;
  private final WakeUp wakeUp = new WakeUp();
  private final PollSet poll = new PollSet();
  private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
  private boolean connected;
  private volatile boolean admitted;
  private volatile boolean starved;
  private volatile boolean stopping;

  PtyLoop(PseudoTerminal pty, ByteRing input, ByteRing output, Events events, Ticks ticks)
      throws IOException {
    this.pty = pty;
    this.input = input;
    this.output = output;
    this.events = events;
    this.ticks = ticks;
  }

  /** Goes on with a client that another loop had. Before the start. */
  void adopt() {
    connected = true;
    admitted = true;
  }

  @Override
  public boolean hasClient() {
    return admitted;
  }

  @Override
  public void admit() {
    admitted = true;
  }

  @Override
  public void starved(boolean now) {
    starved |= now;
  }

  @Override
  public void wake() {
    wakeUp.wake();
  }

  @Override
  public void stop() {
    stopping = true;
    wakeUp.wake();
  }

  /** After the loop's end. */
  void close() {
    wakeUp.close();
  }

  @Override
  public void run() {
    try {
      long lastTick = System.nanoTime();
      while (!stopping) {
        await(connected ? pty.fd() : -1);
        if (stopping) {
          return;
        }
        if (!connected) {
          look();
        }
        serve();
        if (System.nanoTime() - lastTick >= TICK_MILLIS * 1_000_000L) {
          lastTick = System.nanoTime();
          ticks.tick();
        }
      }
    } catch (IOException e) {
      events.failed(e);
    }
  }

  private void await(int fd) throws IOException {
    poll.set(WAKE, wakeUp.fd(), LibC.POLLIN);
    poll.set(PTY, fd, wanted());
    poll.await(2, TICK_MILLIS);
    if (poll.ready(WAKE)) {
      wakeUp.drain();
    }
  }

  private short wanted() {
    return (short) ((input.free() > 0 ? LibC.POLLIN : 0) | (output.size() > 0 ? LibC.POLLOUT : 0));
  }

  /** Without a client: is there one, or was there one that left something to read? */
  private void look() throws IOException {
    poll.set(WAKE, -1, (short) 0);
    poll.set(PTY, pty.fd(), wanted());
    poll.await(2, 0);
    if (!poll.hungUp(PTY)) {
      connected = true;
      pty.dropOutput();
      events.connected();
    }
  }

  private void serve() throws IOException {
    boolean hungUp = poll.hungUp(PTY);
    if (poll.ready(PTY)) {
      receive();
    }
    if (connected && hungUp) {
      leave();
    } else if (connected) {
      send();
    }
  }

  private void receive() throws IOException {
    for (int room; (room = input.free()) > 0; ) {
      long count = LibC.read(pty.fd(), chunk.clear(), Math.min(CHUNK, room));
      if (count <= 0) {
        refuse(count, "read");
        return;
      }
      input.put(chunk.slice(0, (int) count));
      events.inputReady();
    }
  }

  private void send() throws IOException {
    boolean wrote = false;
    while (output.size() > 0) {
      ByteBuffer front = output.front();
      chunk.clear().limit(Math.min(CHUNK, front.remaining()));
      chunk.put(front.limit(front.position() + chunk.remaining())).flip();
      long count = LibC.write(pty.fd(), chunk, chunk.remaining());
      if (count <= 0) {
        refuse(count, "write");
        break;
      }
      output.consume((int) count);
      wrote = true;
    }
    if (wrote) {
      events.wrote();
    }
    if (starved && output.free() >= output.capacity() / 2) {
      starved = false;
      events.outputReady();
    }
  }

  /** Nothing more can be moved now: EIO is a client that has left, which the next poll tells. */
  private static void refuse(long count, String what) throws IOException {
    if (count < 0) {
      IoError error = LibC.error(what);
      switch (error.errno()) {
        case LibC.EIO, LibC.EAGAIN, LibC.EINTR -> {}
        default -> throw error;
      }
    }
  }

  private void leave() {
    connected = false;
    admitted = false;
    output.clear();
    starved = false;
    events.wrote();
    events.outputReady(); // a guest that waited for this client waits no more
  }
}
