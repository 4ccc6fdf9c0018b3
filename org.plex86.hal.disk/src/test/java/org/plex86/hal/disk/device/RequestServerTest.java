// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.Threads;

/** What a flush promises while another one runs. The image is a real one, its flush can be held. */
class RequestServerTest {
  @TempDir Path folder;
  private final CountDownLatch flushing = new CountDownLatch(1);
  private final CountDownLatch mayEnd = new CountDownLatch(1);
  private volatile boolean hold;
  private volatile boolean fail;
  private RequestServer server;

  @BeforeEach
  void open() throws IOException {
    Path file = folder.resolve("disk.raw");
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.setLength(1 << 20);
    }
    DiskImage image = new OpenFiles().image(file, "raw", true);
    server = new RequestServer(context(), held(image));
  }

  private DiskImage held(DiskImage image) {
    return (DiskImage)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DiskImage.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("flush")) {
                flushing.countDown();
                if (hold) {
                  mayEnd.await();
                }
                if (fail) {
                  throw new IOException("no medium");
                }
              }
              try {
                return method.invoke(image, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Takes reports of failures, and nothing else. */
  private ChannelContext context() {
    return (ChannelContext)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {ChannelContext.class},
            (proxy, method, arguments) -> {
              assertThat(method.getName()).isEqualTo("reportError");
              return null;
            });
  }

  private static BlockRequest request(int type, int data) {
    byte[] header =
        ByteBuffer.allocate(16 + data).order(ByteOrder.LITTLE_ENDIAN).putInt(0, type).array();
    return BlockRequest.of(TestPacket.request(header, 1));
  }

  private byte flushAtOnce() {
    return server.serveAtOnce(request(BlockRequest.FLUSH, 0));
  }

  private byte flushInTheEnd() {
    return server.job(request(BlockRequest.FLUSH, 0)).run();
  }

  private void write() {
    assertThat(server.serveAtOnce(request(BlockRequest.OUT, 512))).isEqualTo(BlockRequest.OK);
  }

  @Test
  void flushOfNothingNewNeedsNoWaiting() {
    assertThat(flushAtOnce()).isEqualTo(RequestServer.MUST_WAIT);
    assertThat(flushInTheEnd()).isEqualTo(BlockRequest.OK);
    assertThat(flushAtOnce()).isEqualTo(BlockRequest.OK);
    write();
    assertThat(flushAtOnce()).isEqualTo(RequestServer.MUST_WAIT);
  }

  @Test
  void flushDoesNotEndBeforeOneThatIsUnderWayForTheSameWrite() throws Exception {
    write();
    hold = true;
    CompletableFuture<Byte> first =
        CompletableFuture.supplyAsync(this::flushInTheEnd, Threads::onItsOwn);
    flushing.await();
    assertThat(flushAtOnce()).isEqualTo(RequestServer.MUST_WAIT);
    mayEnd.countDown();
    assertThat(first.get()).isEqualTo(BlockRequest.OK);
    assertThat(flushAtOnce()).isEqualTo(BlockRequest.OK);
  }

  @Test
  void writeDuringAFlushIsNotCoveredByIt() throws Exception {
    hold = true;
    CompletableFuture<Byte> first =
        CompletableFuture.supplyAsync(this::flushInTheEnd, Threads::onItsOwn);
    flushing.await();
    write();
    mayEnd.countDown();
    assertThat(first.get()).isEqualTo(BlockRequest.OK);
    assertThat(flushAtOnce()).isEqualTo(RequestServer.MUST_WAIT);
  }

  @Test
  void flushThatFailedMadeNothingDurable() {
    write();
    fail = true;
    assertThat(flushInTheEnd()).isEqualTo(BlockRequest.IO_ERROR);
    assertThat(flushAtOnce()).isEqualTo(RequestServer.MUST_WAIT);
  }
}
