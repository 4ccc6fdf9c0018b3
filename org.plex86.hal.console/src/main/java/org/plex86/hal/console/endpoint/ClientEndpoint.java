// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.RecentBytes;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * A console that somebody comes to, one at a time. While nobody is there the guest's output goes to
 * nobody and the guest does not wait; whoever comes is first given the last {@link #RECENT} bytes.
 * Who reads slowly has the guest wait.
 */
abstract class ClientEndpoint implements Endpoint {
  /** How much of the output a late client is given. */
  static final int RECENT = 1 << 16;

  private static final int INPUT_BUFFER = 1 << 16;
  private static final int OUTPUT_BUFFER = 1 << 18;
  private static final long JOIN_MILLIS = 1000;

  final ByteRing input = new ByteRing(INPUT_BUFFER);
  final ByteRing output = new ByteRing(OUTPUT_BUFFER);
  private final RecentBytes recent = new RecentBytes(RECENT); // guarded by this
  private Listener listener;
  private ClientLoop loop;
  private Thread thread;

  /** The loop ends for a failure. On its thread. */
  abstract void failed(IOException cause);

  /** Whom this endpoint tells; once it is being opened. */
  final Listener listener() {
    return listener;
  }

  final void setListener(Listener events) {
    listener = events;
  }

  /** What goes to a loop that this endpoint makes. */
  final ClientLoop.Events events() {
    return new Events();
  }

  /** What was on its way is again. */
  final void restore(Saved saved) {
    input.put(ByteBuffer.wrap(saved.takeBytes("input")));
    output.put(ByteBuffer.wrap(saved.takeBytes("output")));
    synchronized (this) {
      recent.append(ByteBuffer.wrap(saved.takeBytes("recent")));
    }
  }

  /** What is on its way, for the next endpoint. After the loop's end. */
  final void save(Saved into) {
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

  final void start(ClientLoop made, String threadName) {
    loop = made;
    thread = new Thread(made, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  /** Whether the loop has ended. */
  final boolean stopLoop() {
    loop.stop();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return !thread.isAlive();
  }

  @Override
  public final int write(ByteBuffer bytes) {
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
  public final int read(ByteBuffer into) {
    int count = input.take(into);
    if (count > 0) {
      loop.wake();
    }
    return count;
  }

  @Override
  public final int available() {
    return input.size();
  }

  @Override
  public final synchronized void flush(long stallNanos, long totalNanos)
      throws InterruptedException {
    long end = System.nanoTime() + Math.min(stallNanos, totalNanos);
    for (long left;
        loop.hasClient() && output.size() > 0 && (left = end - System.nanoTime()) > 0; ) {
      wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }
  }

  private final class Events implements ClientLoop.Events {
    @Override
    public void connected() {
      synchronized (ClientEndpoint.this) {
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
      synchronized (ClientEndpoint.this) {
        ClientEndpoint.this.notifyAll();
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
      ClientEndpoint.this.failed(cause);
    }
  }
}
