// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.SuspendedException;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;
import org.plex86.hal.testkit.TestSlot;

/** A driver goes while the host takes its time to make something durable. */
@Timeout(60)
class FlushHandOverTest {
  @TempDir Path folder;
  private final CountDownLatch flushing = new CountDownLatch(1);
  private final CompletableFuture<Void> mayEnd = new CompletableFuture<>();
  private volatile boolean suspended;

  /** How often the thread in the flush is said to be detached. */
  private final AtomicInteger looksAsDetached = new AtomicInteger(Integer.MAX_VALUE);

  @Test
  void nextDriverHasTheFlushThatTheOneBeforeHasLeft() throws Exception {
    handOverDuringAFlush();
  }

  /** The thread in the host's call may get out of it just after it was looked at. */
  @Test
  void flushThatEndsWhileItIsLeftDoesNotHoldUpTheHandOver() throws Exception {
    looksAsDetached.set(1);
    handOverDuringAFlush();
  }

  private void handOverDuringAFlush() throws Exception {
    Path file = folder.resolve("disk.raw");
    Files.write(file, new byte[1 << 20]);
    DiskImage image = new OpenFiles().image(file, "raw", true);
    try (TestSlot slot = new TestSlot(context -> Devices.channel(context, slow(image)))) {
      long features = slot.channel().features();
      slot.run(() -> slot.channel().start(features));
      TestPacket flush = flush();
      slot.virtqueue(0).add(flush);
      slot.run(() -> slot.channel().notify(0));
      assertThat(flushing.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(slot.virtqueue(0).takeUsed()).isNull();

      slot.swap(context -> Devices.channel(context, image), features);

      TestQueue.Used used = await(slot);
      assertThat(used.packet()).isSameAs(flush);
      assertThat(used.packet().answer()).containsExactly(BlockRequest.OK);
      mayEnd.complete(null); // it was not waited for
      slot.run(() -> {});
      assertThat(slot.virtqueue(0).takeUsed()).isNull();
      assertThat(slot.errors()).isEmpty();
    }
    image.close();
  }

  /** Its flush ends when the test lets it, as one that was left. */
  private DiskImage slow(DiskImage image) {
    return Devices.image(
        image,
        (method, arguments) ->
            switch (method.getName()) {
              case "flush" -> {
                flushing.countDown();
                mayEnd.join();
                throw new SuspendedException();
              }
              case "suspendFlushes" -> {
                suspended = true;
                yield null;
              }
              case "hasDetachedFlush" ->
                  suspended && !mayEnd.isDone() && looksAsDetached.getAndDecrement() > 0;
              default -> method.invoke(image, arguments);
            });
  }

  private static TestPacket flush() {
    byte[] header =
        ByteBuffer.allocate(16)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0, BlockRequest.FLUSH)
            .array();
    return TestPacket.request(header, 1);
  }

  private static TestQueue.Used await(TestSlot slot) throws InterruptedException {
    for (int i = 0; i < 2000; i++) {
      TestQueue.Used used = slot.virtqueue(0).takeUsed();
      if (used != null) {
        return used;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("the flush does not end");
  }
}
