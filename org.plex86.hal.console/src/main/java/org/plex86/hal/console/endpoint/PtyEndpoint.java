// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.BaseStream;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.RecentBytes;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * A console on a pseudo-terminal of its own, which programs such as screen open by its path. While
 * nobody has it open the guest's output goes to nobody and the guest does not wait; who opens it is
 * first given the last {@link SocketEndpoint#RECENT} bytes. Who reads slowly has the guest wait.
 */
public final class PtyEndpoint implements Endpoint {
  private static final int INPUT_BUFFER = 1 << 16;
  private static final int OUTPUT_BUFFER = 1 << 18;
  private static final long JOIN_MILLIS = 1000;
  private static final String PTY = "pty";

  private final Consumer<Path> made;
  private final ByteRing input = new ByteRing(INPUT_BUFFER);
  private final ByteRing output = new ByteRing(OUTPUT_BUFFER);
  private final RecentBytes recent = new RecentBytes(SocketEndpoint.RECENT); // guarded by this
  private Listener listener;
  private Pty pty;
  private PtyLoop loop;
  private Thread thread;

  /**
   * Not opened yet.
   *
   * @param made is told the path of the pseudo-terminal when one was made
   */
  public PtyEndpoint(Consumer<Path> made) {
    this.made = made;
  }

  @Override
  public void open(Listener events, Saved saved) throws HalException {
    listener = events;
    boolean inherits = saved.has(PTY);
    try {
      pty = inherits ? Pty.adopt(saved.peek(PTY, BaseStream.class)) : Pty.make();
      loop = new PtyLoop(pty, input, output, new Clients());
    } catch (IOException e) {
      if (pty != null && !inherits) {
        pty.close();
      }
      throw new HalException("the console cannot have a pseudo-terminal: " + e.getMessage(), e);
    }
    resume(saved);
    if (!inherits) {
      made.accept(pty.path());
    }
    thread = new Thread(loop, "plex86-console-pty");
    thread.setDaemon(true);
    thread.start();
  }

  /** Nothing can fail any more. */
  private void resume(Saved saved) {
    saved.take(PTY, BaseStream.class);
    input.put(ByteBuffer.wrap(saved.takeBytes("input")));
    output.put(ByteBuffer.wrap(saved.takeBytes("output")));
    synchronized (this) {
      recent.append(ByteBuffer.wrap(saved.takeBytes("recent")));
    }
    if (saved.takeFlag("client")) {
      loop.admit();
    }
  }

  @Override
  public int write(ByteBuffer bytes) {
    int start = bytes.position();
    synchronized (this) {
      if (loop.hasClient()) {
        output.put(bytes);
        loop.starved(bytes.hasRemaining());
      } else {
        bytes.position(bytes.limit());
      }
      recent.append(bytes.slice(start, bytes.position() - start));
    }
    loop.wake();
    return bytes.position() - start;
  }

  @Override
  public boolean isRaw() {
    return true;
  }

  @Override
  public int read(ByteBuffer into) {
    int count = input.take(into);
    if (count > 0) {
      loop.wake();
    }
    return count;
  }

  @Override
  public int available() {
    return input.size();
  }

  @Override
  public WindowSize size() {
    return loop.hasClient() ? pty.size() : WindowSize.UNKNOWN;
  }

  @Override
  public synchronized void flush(long stallNanos, long totalNanos) throws InterruptedException {
    long end = System.nanoTime() + Math.min(stallNanos, totalNanos);
    for (long left;
        loop.hasClient() && output.size() > 0 && (left = end - System.nanoTime()) > 0; ) {
      wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }
  }

  /** Whether the loop has ended: nobody uses the descriptor any more. */
  private boolean stop() {
    loop.stop();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      return false;
    }
    loop.close();
    return true;
  }

  @Override
  public void close() {
    if (stop()) {
      pty.close();
    }
  }

  /** Who has it open keeps it. */
  @Override
  public void handOver(Saved into) {
    stop();
    into.put(PTY, pty.leave());
    into.put("client", loop.hasClient());
    into.put("input", drain(input));
    into.put("output", drain(output));
    synchronized (this) {
      into.put("recent", recent.bytes());
    }
  }

  private static byte[] drain(ByteRing ring) {
    ByteBuffer all = ByteBuffer.allocate(ring.size());
    ring.take(all);
    return all.array();
  }

  /** What the loop has to say, on its thread. */
  private final class Clients implements PtyLoop.Events {
    @Override
    public void connected() {
      synchronized (PtyEndpoint.this) {
        output.clear();
        output.put(ByteBuffer.wrap(recent.bytes()));
        loop.admit();
      }
    }

    @Override
    public void inputReady() {
      listener.inputReady();
    }

    @Override
    public void wrote() {
      synchronized (PtyEndpoint.this) {
        PtyEndpoint.this.notifyAll();
      }
    }

    @Override
    public void outputReady() {
      listener.outputReady();
    }

    @Override
    public void resized(WindowSize size) {
      listener.resized(size);
    }

    @Override
    public void failed(IOException cause) {
      listener.failed("the console's pseudo-terminal works no more", cause);
    }
  }
}
