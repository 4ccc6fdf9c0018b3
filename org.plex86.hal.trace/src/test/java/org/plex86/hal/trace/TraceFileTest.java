// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TraceFileTest {
  /** A disk that takes nothing until it is let go. */
  private static final class StuckDisk implements WritableByteChannel {
    final CountDownLatch stuck = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);
    final ByteArrayOutputStream content = new ByteArrayOutputStream();

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      stuck.countDown();
      try {
        go.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      return Channels.newChannel(content).write(bytes);
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void whoAddsNeverWaitsAndWhatIsTooMuchIsDroppedAndCounted() throws Exception {
    StuckDisk disk = new StuckDisk();
    byte[] record = new byte[1 << 20];
    try (TraceFile file = new TraceFile("test", disk)) {
      file.add(new byte[1]);
      disk.stuck.await();
      for (int i = 0; i < 20; i++) {
        file.add(record);
      }
      assertThat(file.dropped()).isEqualTo(20 - TraceFile.BOUND / record.length);
      disk.go.countDown();
    }
    assertThat(disk.content.size()).isEqualTo(1 + TraceFile.BOUND);
  }

  @Test
  void logSaysHowManyLinesWereDropped() throws Exception {
    StuckDisk disk = new StuckDisk();
    TraceFile file = new TraceFile("test", disk);
    file.add(new byte[1]);
    disk.stuck.await();
    file.add(new byte[TraceFile.BOUND - 10]);
    for (int i = 0; i < 3; i++) {
      file.addLine("a line that does not fit");
    }
    disk.go.countDown();
    while (disk.content.size() < TraceFile.BOUND - 10) {
      Thread.onSpinWait();
    }
    file.addLine("later");
    file.close();
    assertThat(disk.content.toString(java.nio.charset.StandardCharsets.US_ASCII))
        .endsWith("# 3 lines dropped\nlater\n");
    assertThat(file.dropped()).isEqualTo(3);
  }

  @Test
  void diskThatFailsEndsTheTraceAndNothingElse() {
    WritableByteChannel full =
        new WritableByteChannel() {
          @Override
          public int write(ByteBuffer bytes) throws IOException {
            throw new IOException("no space left on device");
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };
    TraceFile file = new TraceFile("test", full);
    file.add(new byte[10]);
    while (file.dropped() == 0) {
      file.add(new byte[10]);
    }
    file.close();
    assertThat(file.dropped()).isPositive();
  }
}
