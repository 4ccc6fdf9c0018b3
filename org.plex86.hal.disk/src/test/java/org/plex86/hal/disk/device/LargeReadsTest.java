// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;
import org.plex86.hal.testkit.TestSlot;

/** Large reads that wait together: a worker takes one while the slot's thread copies the next. */
@Timeout(60)
class LargeReadsTest {
  private static final int PIECE = 512 << 10;
  private static final int PIECES = 8;

  @TempDir Path folder;
  private TestSlot slot;
  private volatile Thread worker;
  private final List<TestPacket> endedDuringTheTurn = new ArrayList<>();

  /**
   * What a worker had read was told to the guest when the slot's thread was through with all that
   * waited (256 requests), so that a guest with few buffers had nothing more to ask for.
   */
  @Test
  void whatAWorkerHasReadDoesNotWaitForTheEndOfATurn() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one thread copies all");
    Path file = folder.resolve("disk.raw");
    Files.write(file, new byte[PIECES * PIECE]);
    DiskImage image = new OpenFiles().image(file, "raw", true);
    slot = new TestSlot(context -> Devices.channel(context, watched(image)));
    try (TestSlot open = slot) {
      open.run(() -> open.channel().start(open.channel().features()));
      List<TestPacket> packets = new ArrayList<>();
      for (int i = 0; i < PIECES; i++) {
        packets.add(read((long) i * PIECE));
        assertThat(open.virtqueue(0).add(packets.get(i))).isTrue();
      }
      open.run(() -> open.channel().notify(0));
      // the worker has read the first, and the slot's thread has seen that before its turn was over
      assertThat(worker).isNotNull();
      assertThat(endedDuringTheTurn).contains(packets.get(0));
      assertThat(open.errors()).isEmpty();
    }
    image.close();
  }

  /** The slot's thread reads when the worker is done with its own, and looks what has ended. */
  private DiskImage watched(DiskImage image) {
    return Devices.image(
        image,
        (method, arguments) -> {
          switch (method.getName()) {
            case "read" -> worker = Thread.currentThread();
            case "tryRead" -> {
              awaitWorker();
              for (TestQueue.Used used; (used = slot.virtqueue(0).takeUsed()) != null; ) {
                endedDuringTheTurn.add(used.packet());
              }
            }
            default -> {
              // as it is
            }
          }
          return method.invoke(image, arguments);
        });
  }

  /** A worker that waits for work has told of what it has done. */
  private void awaitWorker() throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (worker == null || worker.getState() != Thread.State.TIMED_WAITING) {
      if (System.nanoTime() > end) {
        throw new IOException("no worker was asked, or it does not end");
      }
      Thread.onSpinWait();
    }
  }

  private static TestPacket read(long offset) {
    byte[] header =
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0, BlockRequest.IN)
            .putLong(8, offset / BlockConfig.SECTOR)
            .array();
    return TestPacket.request(header, PIECE + 1);
  }
}
