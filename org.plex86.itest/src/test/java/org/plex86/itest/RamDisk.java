// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/**
 * A driver of virtio-blk (section 5.2 of virtio 1.2) over an array that several drivers share.
 * Requests are served on a thread of its own, so some are in flight at any time.
 */
final class RamDisk implements ChannelDriver {
  static final String TYPE = "ram-disk";
  private static final int SECTOR = 512;
  private static final int HEADER = 16;
  private static final int IN = 0;
  private static final int OUT = 1;
  private static final byte OK = 0;
  private static final byte UNSUPPORTED = 2;

  private final byte[] content;
  private final AtomicLong served;

  /**
   * A driver.
   *
   * @param served counts requests, of all drivers that share it
   */
  RamDisk(byte[] content, AtomicLong served) {
    this.content = content;
    this.served = served;
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) {
    return new Disk(context);
  }

  private final class Disk implements Channel {
    private final ChannelContext context;
    private final ExecutorService worker = Executors.newSingleThreadExecutor();

    Disk(ChannelContext context) {
      this.context = context;
    }

    @Override
    public int deviceId() {
      return 2;
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public List<Integer> queueSizes() {
      return List.of(64);
    }

    @Override
    public byte[] configSpace() {
      return ByteBuffer.allocate(8)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(0, content.length / SECTOR)
          .array();
    }

    @Override
    public void start(long features) {
      // begins with the first request
    }

    @Override
    public void notify(int number) {
      PacketQueue queue = context.queue(number);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        Packet request = packet;
        worker.execute(() -> serve(request));
      }
    }

    private void serve(Packet request) {
      byte[] header = new byte[HEADER];
      request.read(0, header, 0, HEADER);
      ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
      int at = (int) fields.getLong(8) * SECTOR;
      int data = (int) request.writableBytes() - 1;
      byte status =
          switch (fields.getInt(0)) {
            case IN -> {
              request.write(0, content, at, data);
              yield OK;
            }
            case OUT -> {
              request.read(HEADER, content, at, (int) request.readableBytes() - HEADER);
              yield OK;
            }
            default -> UNSUPPORTED;
          };
      request.write(data, new byte[] {status}, 0, 1);
      served.incrementAndGet();
      context.execute(
          () -> {
            context.queue(0).complete(request, data + 1L);
            context.queue(0).flush();
          });
    }

    @Override
    public void reset() {
      // completions of requests from before are ignored
    }

    @Override
    public void close() {
      // no request may be served once the next driver has them
      worker.shutdownNow();
      try {
        worker.awaitTermination(1, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
