// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/**
 * Bytes on their way to a receiver that may be slow: a bounded buffer and a thread that empties it.
 *
 * <p>What does not fit is not taken; the owner keeps it and is told when there is room again. After
 * a failure of the receiver all bytes are taken and dropped, so that a guest never waits for a
 * receiver that is gone.
 */
public final class OutputPump implements AutoCloseable {
  /** What the owner wants to know. Called on the pump's thread, without locks. */
  public interface Listener {
    /** {@link #offer} took less than it was given; now at least half of the buffer is free. */
    void roomAgain();

    /** The receiver failed; called once. */
    void failed(IOException cause);
  }

  private static final long JOIN_MILLIS = 500;

  /** What is written at once at most: as much is at stake where a thread is stuck in its write. */
  private static final int PIECE = 1 << 15;

  private static final long PAUSE_NANOS = 500_000_000;

  private final ByteSink sink;
  private final ByteRing ring;
  private final Listener listener;
  private final Thread thread;
  // All guarded by this.
  private boolean closed;
  private boolean handedOver;
  private boolean paused;
  private boolean writing;
  private boolean failed;
  private boolean starved;
  private int inWrite;
  private long written;
  private Runnable onDrained;

  /** A pump that starts at once and owns the sink. */
  public OutputPump(String threadName, ByteSink sink, int capacity, Listener listener) {
    this.sink = sink;
    this.ring = new ByteRing(capacity);
    this.listener = listener;
    thread = new Thread(this::run, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  /** Takes as many of the remaining bytes as there is room for, and tells how many these were. */
  public synchronized int offer(ByteBuffer bytes) {
    int count;
    if (failed || closed) {
      count = bytes.remaining();
      bytes.position(bytes.limit());
      return count;
    }
    count = ring.put(bytes);
    if (bytes.hasRemaining()) {
      starved = true;
    }
    if (count > 0) {
      notifyAll();
    }
    return count;
  }

  /**
   * Holds back what is written from now on; returns when nothing is being written any more, or
   * after half a second: a receiver that is stuck must not hold up the caller too.
   */
  public synchronized void pause() throws InterruptedException {
    paused = true;
    long end = System.nanoTime() + PAUSE_NANOS;
    for (long left; writing && !closed && (left = end - System.nanoTime()) > 0; ) {
      wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }
  }

  /** Ends {@link #pause}. */
  public synchronized void resume() {
    paused = false;
    notifyAll();
  }

  /** Runs an action once all bytes were written or dropped: at once if that is so now. */
  public void whenDrained(Runnable action) {
    synchronized (this) {
      if (!drained()) {
        onDrained = action;
        return;
      }
    }
    action.run();
  }

  /**
   * Waits until all bytes were written or dropped.
   *
   * @param stallNanos gives up after this time without any byte written
   * @param totalNanos gives up after this time
   * @return whether all were
   */
  public synchronized boolean flush(long stallNanos, long totalNanos) throws InterruptedException {
    long start = System.nanoTime();
    long progress = start;
    long seen = written;
    while (!drained() && !closed) {
      long now = System.nanoTime();
      if (written != seen) {
        seen = written;
        progress = now;
      }
      long left = Math.min(progress + stallNanos, start + totalNanos) - now;
      if (left <= 0) {
        return false;
      }
      wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }
    return drained();
  }

  /**
   * What a pump before this one has left: bytes that it had not written, or its failure. To be
   * called before any {@link #offer}.
   */
  public synchronized void resume(Saved saved) {
    failed = saved.takeFlag("failed");
    byte[] left = saved.takeBytes("left");
    if (!failed) {
      ring.put(ByteBuffer.wrap(left));
      notifyAll();
    }
  }

  /**
   * From now on nothing more is begun to be written: so that several pumps may end side by side.
   * {@link #close} or {@link #handOver} must follow.
   */
  public synchronized void stop() {
    closed = true;
    notifyAll();
  }

  /** Ends the thread as {@link #close}, but leaves the sink open and saves what is not written. */
  public void handOver(Saved into) {
    synchronized (this) {
      handedOver = true;
    }
    close();
    synchronized (this) {
      into.put("failed", failed);
      // what a thread that is stuck is writing is counted as written: it may well be, in the end
      if (writing) {
        ring.consume(inWrite);
      }
      ByteBuffer left = ByteBuffer.allocate(ring.size());
      ring.take(left);
      into.putBytes("left", left.flip());
    }
  }

  /** Whether the receiver failed. */
  public synchronized boolean hasFailed() {
    return failed;
  }

  /** Ends the thread. What was not written is dropped: see {@link #flush}. */
  @Override
  public void close() {
    stop();
    try {
      // A thread that is stuck in a write(2) to a receiver that reads nothing is left to it: it is
      // a daemon and touches nothing but its sink.
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean drained() {
    return failed || (ring.size() == 0 && !writing);
  }

  private void run() {
    try {
      for (ByteBuffer front; (front = next()) != null; ) {
        int count = 0;
        IOException failure = null;
        try {
          count = sink.write(front);
        } catch (IOException e) {
          failure = e;
        }
        wrote(count, failure);
      }
      if (!isHandedOver()) {
        sink.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      listener.failed(e);
    }
  }

  private synchronized boolean isHandedOver() {
    return handedOver;
  }

  private synchronized ByteBuffer next() throws InterruptedException {
    while (!closed && (paused || failed || ring.size() == 0)) {
      wait();
    }
    if (closed) {
      return null;
    }
    writing = true;
    ByteBuffer front = ring.front();
    front.limit(Math.min(front.limit(), PIECE));
    inWrite = front.remaining();
    return front;
  }

  private void wrote(int count, IOException failure) {
    boolean tellRoom;
    Runnable tellDrained = null;
    synchronized (this) {
      writing = false;
      written += count;
      if (handedOver && ring.size() == 0) {
        return; // came back after all, when what it wrote was counted already
      }
      ring.consume(count);
      if (failure != null) {
        failed = true;
        ring.clear();
      }
      tellRoom = starved && ring.free() >= ring.capacity() / 2;
      if (tellRoom) {
        starved = false;
      }
      if (drained()) {
        tellDrained = onDrained;
        onDrained = null;
      }
      notifyAll();
    }
    if (failure != null) {
      listener.failed(failure);
    }
    if (tellRoom) {
      listener.roomAgain();
    }
    if (tellDrained != null) {
      tellDrained.run();
    }
  }
}
