// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Reads the clock of a guest whose program tells it for each byte that it gets. */
final class ClockReader implements AutoCloseable {
  /** A guest's time, and between which two of the host's it was read; in nanoseconds. */
  static final class Reading {
    private final long guest;
    private final long before;
    private final long after;

    private Reading(long guest, long before, long after) {
      this.guest = guest;
      this.before = before;
      this.after = after;
    }

    private long width() {
      return after - before;
    }

    /** The host's nanoseconds between the middles of two readings. */
    long since(Reading first) {
      return (before - first.before + after - first.after) / 2;
    }

    /** How much faster the guest's clock has gone than the host's. */
    double ppm(Reading first) {
      return (guest - first.guest - since(first)) * 1e6 / since(first);
    }

    /** What {@link #ppm} may be off by, as the guest may have read at either end of a reading. */
    double ppmOfDoubt(Reading first) {
      return (width() + first.width()) / 2.0 * 1e6 / Math.max(1, since(first));
    }
  }

  private final Process process;
  private final OutputStream requests;
  private final BufferedReader answers;

  ClockReader(Process process) {
    this.process = process;
    requests = process.getOutputStream();
    answers =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** The quickest of this many readings. */
  Reading best(int count) throws IOException {
    Reading best = null;
    for (int i = 0; i < count; i++) {
      Reading reading = read();
      if (best == null || reading.width() < best.width()) {
        best = reading;
      }
    }
    return best;
  }

  private Reading read() throws IOException {
    long before = System.nanoTime();
    requests.write('?');
    requests.flush();
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("the guest has ended");
    }
    return new Reading(Long.parseLong(line), before, System.nanoTime());
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      process.waitFor(Plex86.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
  }
}
