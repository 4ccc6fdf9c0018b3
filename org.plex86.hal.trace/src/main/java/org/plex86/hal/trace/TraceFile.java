// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that records are appended to, by a thread of its own. Who adds a record never waits: what
 * is more than {@link #BOUND} bytes ahead of the file is dropped and counted. Any thread.
 */
final class TraceFile implements AutoCloseable {
  /** The most bytes that wait to be written. */
  static final int BOUND = 8 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(TraceFile.class);
  private static final int BATCH = 1 << 16;
  private static final long CLOSE_MILLIS = 2000;

  private final String name;
  private final WritableByteChannel channel;
  private final Thread writer;
  // All guarded by this.
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private int waitingBytes;
  private long dropped;
  private long droppedTold;
  private boolean failed;
  private boolean closed;

  /**
   * Starts to write.
   *
   * @param name for people
   * @param channel the file, which is this object's from now on
   */
  TraceFile(String name, WritableByteChannel channel) {
    this.name = name;
    this.channel = channel;
    writer = new Thread(this::run, "plex86-trace-" + name);
    writer.setDaemon(true);
    writer.start();
  }

  /** Adds a record, or counts it as dropped. */
  synchronized void add(byte[] record) {
    if (closed || failed || waitingBytes + record.length > BOUND) {
      dropped++;
      return;
    }
    waiting.add(record);
    waitingBytes += record.length;
    if (waiting.size() == 1) {
      notifyAll();
    }
  }

  /** Adds a line, and before it how many were dropped since the last one that was not. */
  synchronized void addLine(String line) {
    long before = dropped;
    if (dropped > droppedTold) {
      add(ascii("# " + (dropped - droppedTold) + " lines dropped\n"));
    }
    if (dropped == before) {
      droppedTold = dropped;
      add(ascii(line + "\n"));
    } else {
      dropped = before + 1; // the note is none of those that are counted, the line is
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** How many records were dropped. */
  synchronized long dropped() {
    return dropped;
  }

  /** Writes what waits, for two seconds at most, and closes the file. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    try {
      writer.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (dropped() > 0) {
      LOG.warn("trace {}: {} records were dropped", name, dropped());
    }
  }

  private void run() {
    ByteBuffer batch = ByteBuffer.allocate(BATCH);
    try (channel) {
      for (byte[] next; (next = take()) != null; ) {
        if (next.length > batch.remaining()) {
          write(batch.flip());
          batch.clear();
        }
        if (next.length > batch.capacity()) {
          write(ByteBuffer.wrap(next));
        } else {
          batch.put(next);
        }
        if (isIdle()) {
          write(batch.flip());
          batch.clear();
        }
      }
      write(batch.flip());
    } catch (IOException e) {
      fail(e);
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private synchronized boolean isIdle() {
    return waiting.isEmpty();
  }

  private synchronized byte[] take() {
    while (waiting.isEmpty() && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        closed = true; // nobody interrupts it but a JVM that ends
      }
    }
    byte[] next = waiting.poll();
    waitingBytes -= next == null ? 0 : next.length;
    return next;
  }

  private void fail(IOException cause) {
    synchronized (this) {
      failed = true;
      dropped += waiting.size();
      waiting.clear();
      waitingBytes = 0;
    }
    LOG.error("trace {} cannot be written, it ends here: {}", name, cause.toString());
  }
}
