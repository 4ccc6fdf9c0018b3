// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Waits for sockets and for time, on a thread that does nothing else: what is ready is handled on
 * the slot's thread. An interest ends when it was met, as EPOLLONESHOT.
 */
public final class Poller {
  /** What is done when a socket is ready; slot's thread. */
  public interface Handler {
    /** The socket is ready for operations of {@link SelectionKey}. */
    void ready(int operations);
  }

  /** How often time is looked at where somebody asked for it, in ms. */
  public static final int TICK_MS = 20;

  private record Ready(Handler handler, int operations) {}

  private final Selector selector;
  private final Thread thread;
  private final Consumer<Runnable> execute;
  private final Runnable tick;
  private final Runnable afterBatch;
  private volatile boolean ticking;
  private volatile boolean tickQueued;
  private volatile boolean closed;
  private boolean wakeUp;

  /**
   * Opens a selector and starts its thread.
   *
   * @param execute brings a task to the slot's thread
   * @param tick run every {@link #TICK_MS} after {@link #wantTicks}, on the slot's thread
   * @param afterBatch run after the handlers, on the slot's thread
   */
  public Poller(Consumer<Runnable> execute, Runnable tick, Runnable afterBatch) throws IOException {
    this.execute = execute;
    this.tick = tick;
    this.afterBatch = afterBatch;
    selector = Selector.open();
    thread = new Thread(this::run, "plex86-net-user");
    thread.setDaemon(true);
  }

  /** Starts waiting. */
  public void start() {
    thread.start();
  }

  /** Adds a channel, which is set to non-blocking. */
  public SelectionKey add(SelectableChannel channel, int operations, Handler handler)
      throws IOException {
    channel.configureBlocking(false);
    try {
      SelectionKey key = channel.register(selector, operations, handler);
      wakeUp = true;
      return key;
    } catch (ClosedChannelException e) {
      throw new IOException("closed before it was used", e);
    }
  }

  /** Adds to what a channel is waited for. */
  public void want(SelectionKey key, int operations) {
    if (key.isValid() && (key.interestOpsOr(operations) & operations) != operations) {
      wakeUp = true;
    }
  }

  /** Lets the tick be run; until {@link #wantTicks} with false. Slot's thread. */
  public void wantTicks(boolean wanted) {
    if (ticking != wanted) {
      ticking = wanted;
      wakeUp |= wanted;
    }
  }

  /** A channel was closed: its descriptor goes when the selector has seen that. */
  public void closedOne() {
    wakeUp = true;
  }

  /** Makes what was changed effective: once after any number of changes. Slot's thread. */
  public void flush() {
    if (wakeUp) {
      wakeUp = false;
      selector.wakeup();
    }
  }

  private void run() {
    try {
      long lastTick = System.nanoTime();
      while (!closed) {
        selector.select(ticking ? TICK_MS : 0);
        if (closed) {
          return;
        }
        List<Ready> ready = new ArrayList<>(selector.selectedKeys().size());
        for (SelectionKey key : selector.selectedKeys()) {
          try {
            int operations = key.readyOps() & key.interestOps();
            key.interestOpsAnd(~operations);
            ready.add(new Ready((Handler) key.attachment(), operations));
          } catch (CancelledKeyException e) {
            // closed by the slot's thread in the meantime
          }
        }
        selector.selectedKeys().clear();
        if (!ready.isEmpty()) {
          execute.accept(() -> handle(ready));
        }
        long now = System.nanoTime();
        if (ticking && !tickQueued && now - lastTick >= TICK_MS * 900_000L) {
          lastTick = now;
          tickQueued = true;
          execute.accept(this::runTick);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot wait for sockets", e);
    }
  }

  private void handle(List<Ready> ready) {
    if (closed) {
      return;
    }
    for (Ready one : ready) {
      one.handler().ready(one.operations());
    }
    afterBatch.run();
  }

  private void runTick() {
    tickQueued = false;
    if (!closed) {
      tick.run();
      afterBatch.run();
    }
  }

  /** Ends the waiting; the channels stay open and can be added to another poller. */
  public void close() {
    closed = true;
    selector.wakeup();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    try {
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close a selector", e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
