// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.RecentBytes;
import org.plex86.hal.console.io.Saved;

/**
 * A console with one client at a time. While there is none the guest's output goes to nobody and
 * the guest does not wait; whoever comes is first given the last {@link #RECENT} bytes. A client
 * that reads slowly has the guest wait.
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
  private final String threadName;
  private ClientLoop loop;
  private Thread thread;

  ClientEndpoint(String threadName) {
    this.threadName = threadName;
  }

  /** Goes on with the bytes that another endpoint had. Before the start. */
  final void resume(Saved saved) {
    input.put(ByteBuffer.wrap(saved.takeBytes("input")));
    output.put(ByteBuffer.wrap(saved.takeBytes("output")));
    synchronized (this) {
      recent.append(ByteBuffer.wrap(saved.takeBytes("recent")));
    }
  }

  final void start(ClientLoop ready) {
    loop = ready;
    thread = new Thread(ready, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  /** Ends the loop; returns when it has. */
  final void stop() {
    loop.stop();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Saves the bytes. After the loop's end. */
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

  /** What the loop has to say, on its thread. */
  final class Clients implements ClientLoop.Events {
    private final Listener listener;
    private final String failure;

    Clients(Listener listener, String failure) {
      this.listener = listener;
      this.failure = failure;
    }

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
    public void failed(IOException cause) {
      listener.failed(failure, cause);
    }
  }
}
