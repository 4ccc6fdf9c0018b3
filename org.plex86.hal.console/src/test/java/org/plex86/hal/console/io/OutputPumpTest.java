// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OutputPumpTest {
  private static final long SECOND = 1_000_000_000L;

  private final CountDownLatch room = new CountDownLatch(1);
  private final CompletableFuture<IOException> failure = new CompletableFuture<>();
  private final OutputPump.Listener listener =
      new OutputPump.Listener() {
        @Override
        public void roomAgain() {
          room.countDown();
        }

        @Override
        public void failed(IOException cause) {
          failure.complete(cause);
        }
      };

  /** Takes up to three bytes for each permit. */
  private static final class SlowSink implements ByteSink {
    final Semaphore permits = new Semaphore(0);
    final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Override
    public int write(ByteBuffer slice) throws IOException {
      try {
        if (!permits.tryAcquire(20, TimeUnit.MILLISECONDS)) {
          return 0;
        }
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      byte[] bytes = new byte[Math.min(3, slice.remaining())];
      slice.get(bytes);
      written.writeBytes(bytes);
      return bytes.length;
    }
  }

  @Test
  void takesWhatFitsAndTellsWhenThereIsRoom() throws Exception {
    SlowSink sink = new SlowSink();
    try (OutputPump pump = new OutputPump("test", sink, 8, listener)) {
      assertThat(pump.offer(ByteBuffer.wrap("0123456789".getBytes(StandardCharsets.US_ASCII))))
          .isEqualTo(8);
      assertThat(pump.offer(ByteBuffer.wrap("x".getBytes(StandardCharsets.US_ASCII)))).isZero();
      assertThat(room.getCount()).isEqualTo(1);
      sink.permits.release(3);
      assertThat(room.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(pump.flush(SECOND, SECOND)).isTrue();
      assertThat(sink.written).hasToString("01234567");
    }
  }

  @Test
  void flushGivesUpWithoutProgress() throws Exception {
    try (OutputPump pump = new OutputPump("test", new SlowSink(), 8, listener)) {
      pump.offer(ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII)));
      long start = System.nanoTime();
      assertThat(pump.flush(SECOND / 5, 10 * SECOND)).isFalse();
      assertThat(System.nanoTime() - start).isBetween(SECOND / 5, 5 * SECOND);
    }
  }

  @Test
  void holdsBackWhilePaused() throws Exception {
    SlowSink sink = new SlowSink();
    sink.permits.release(100);
    try (OutputPump pump = new OutputPump("test", sink, 8, listener)) {
      pump.pause();
      pump.offer(ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII)));
      assertThat(pump.flush(SECOND / 5, SECOND / 5)).isFalse();
      assertThat(sink.written).hasToString("");
      pump.resume();
      assertThat(pump.flush(SECOND, SECOND)).isTrue();
      assertThat(sink.written).hasToString("abc");
    }
  }

  @Test
  void dropsAllAfterAFailureSoThatNobodyWaits() throws Exception {
    ByteSink broken =
        slice -> {
          throw new IOException("no space left");
        };
    CountDownLatch drained = new CountDownLatch(1);
    try (OutputPump pump = new OutputPump("test", broken, 8, listener)) {
      pump.offer(ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII)));
      pump.whenDrained(drained::countDown);
      assertThat(failure.get(10, TimeUnit.SECONDS)).hasMessage("no space left");
      assertThat(drained.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(pump.offer(ByteBuffer.wrap(new byte[1000]))).isEqualTo(1000);
      assertThat(pump.hasFailed()).isTrue();
    }
  }

  @Test
  void tellsWhenAllIsWritten() throws Exception {
    SlowSink sink = new SlowSink();
    CountDownLatch drained = new CountDownLatch(2);
    try (OutputPump pump = new OutputPump("test", sink, 8, listener)) {
      pump.whenDrained(drained::countDown);
      assertThat(drained.getCount()).isEqualTo(1);
      pump.offer(ByteBuffer.wrap("abcdef".getBytes(StandardCharsets.US_ASCII)));
      pump.whenDrained(drained::countDown);
      sink.permits.release();
      assertThat(drained.await(200, TimeUnit.MILLISECONDS)).isFalse();
      sink.permits.release();
      assertThat(drained.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }
}
