// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.FdReader;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.RawMode;

/**
 * Standard input on its way to the command. No more is read than the guest has said it takes, so
 * that what the command does not read is left to the next reader of the file or pipe.
 */
final class ExecInput implements FdReader.Handler {
  /** What the port wants to know. Called on the reader's thread. */
  interface Listener {
    void inputReady();

    void inputFailed(IOException cause);
  }

  private static final int BUFFER = 1 << 16;
  private static final int TICK_MILLIS = 200;

  private final int fd;
  private final boolean terminal;
  private final Listener listener;
  private final ByteRing ring = new ByteRing(BUFFER);
  private final FdReader reader;
  // All guarded by this.
  private long window;
  private boolean started;
  private boolean atEnd;
  private boolean endTold;

  ExecInput(int fd, Listener listener) throws IOException {
    this.fd = fd;
    this.listener = listener;
    terminal = LibC.isatty(fd) == 1;
    reader = new FdReader("plex86-exec-in", fd, terminal, terminal ? TICK_MILLIS : -1, this);
  }

  /** The guest takes more bytes. */
  void grant(long bytes) {
    boolean start;
    synchronized (this) {
      // No more than 2^62, whatever the guest says.
      window = Math.min(window + bytes, Long.MAX_VALUE >> 1);
      start = !started;
      started = true;
    }
    if (start) {
      reader.start();
    } else {
      reader.roomAgain();
    }
  }

  /** Whether there is a frame to be sent. */
  synchronized boolean hasFrame() {
    return ring.size() > 0 || (atEnd && !endTold);
  }

  /** Puts the next frame into a buffer. */
  void frame(ByteBuffer into) {
    synchronized (this) {
      int count = Math.min(ring.size(), Frame.MAX_PAYLOAD);
      Frame.begin(into, Frame.STDIN, count);
      into.limit(into.position() + count);
      ring.take(into);
      into.flip();
      window -= count;
      endTold = count == 0;
    }
    reader.roomAgain();
  }

  @Override
  public int room() {
    if (terminal && !RawMode.inForeground(fd)) {
      // Reading in the background would have SIGTTIN stop this process.
      return 0;
    }
    synchronized (this) {
      return (int) Math.min(ring.free(), window - ring.size());
    }
  }

  @Override
  public void bytes(ByteBuffer bytes) {
    ring.put(bytes);
    listener.inputReady();
  }

  @Override
  public void ended(IOException cause) {
    synchronized (this) {
      atEnd = true;
    }
    if (cause != null) {
      listener.inputFailed(cause);
    }
    listener.inputReady();
  }

  /** Goes on where another one was; it reads again as far as that one was granted. */
  void resume(Saved saved) {
    boolean start;
    synchronized (this) {
      ring.put(ByteBuffer.wrap(saved.takeBytes("read")));
      window = saved.takeNumber("window", 0);
      started = saved.takeFlag("started");
      atEnd = saved.takeFlag("at-end");
      endTold = saved.takeFlag("end-told");
      start = started && !atEnd;
    }
    if (start) {
      reader.start();
    }
  }

  /** Reads no more, and saves what was read and not yet given to the guest. */
  void handOver(Saved into) {
    reader.close();
    synchronized (this) {
      ByteBuffer read = ByteBuffer.allocate(ring.size());
      ring.take(read);
      into.putBytes("read", read.flip());
      into.put("window", window);
      into.put("started", started);
      into.put("at-end", atEnd);
      into.put("end-told", endTold);
    }
  }

  void close() {
    reader.close();
  }
}
