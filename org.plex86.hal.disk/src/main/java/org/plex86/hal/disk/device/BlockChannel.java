// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.disk.image.DiskImage;

/**
 * A virtio block device over an image.
 *
 * <p>A request that needs no waiting for a medium (a read of what the host has in its page cache, a
 * write into it) is served on the slot's thread: to hand it to another one and back costs more than
 * the request. All others go to workers, so any number of them is in flight.
 */
public final class BlockChannel implements Channel {
  /** How the image's files go on. */
  public interface Ending {
    /** What is handed over, once nothing uses the image any more. */
    Map<String, Object> handOver() throws IOException;

    /** The end: all is closed. */
    void close() throws IOException;
  }

  /** Requests that are served in one go before the slot's other work has its turn. */
  private static final int TURN = 256;

  /** Requests after which the guest is told, so that it goes on while others are served. */
  private static final int BATCH = 16;

  /** The same in bytes: while the next large one is copied the guest makes another. */
  private static final long BATCH_BYTES = 512 << 10;

  /** To copy so much takes longer than to hand the request to a worker and to take it back. */
  private static final long ASIDE_BYTES = 256 << 10;

  private static final boolean MANY_PROCESSORS = Runtime.getRuntime().availableProcessors() > 1;

  /** The slot allows about 5 s for its calls. */
  private static final long WAIT_MILLIS = 4000;

  private static final int ID_BYTES = 20;

  private final ChannelContext context;
  private final DiskImage image;
  private final BlockSettings settings;
  private final Ending ending;
  private final RequestServer server;
  private final Workers workers;
  private final RateLimit requests;
  private final RateLimit bytes;
  private boolean started;
  private boolean timerSet;
  private boolean stuck; // a request did not end in time when the channel was to
  private int epoch; // counts resets: requests of an earlier one are void

  /** A device that is not started. */
  public BlockChannel(
      ChannelContext context, DiskImage image, BlockSettings settings, Ending ending) {
    this.context = context;
    this.image = image;
    this.settings = settings;
    this.ending = ending;
    server = new RequestServer(context, image);
    workers = new Workers(context, this::complete);
    long now = System.nanoTime();
    requests = new RateLimit(settings.iops(), now);
    bytes = new RateLimit(settings.bps(), now);
  }

  @Override
  public int deviceId() {
    return BlockConfig.DEVICE_ID;
  }

  @Override
  public long features() {
    return BlockConfig.features(image.isWritable(), settings.discard());
  }

  @Override
  public List<Integer> queueSizes() {
    return List.of(BlockConfig.QUEUE_SIZE);
  }

  @Override
  public byte[] configSpace() {
    return BlockConfig.space(image.size(), image.isWritable(), settings.discard());
  }

  @Override
  public void start(long features) {
    started = true;
    // a guest that cannot flush counts on every write to be durable (section 5.2.6.2)
    server.setWriteThrough((features & BlockConfig.F_FLUSH) == 0);
  }

  @Override
  public void notify(int queue) {
    pump();
  }

  private void pump() {
    if (!started) {
      return;
    }
    PacketQueue queue = context.queue(0);
    long unsaid = 0;
    for (int i = 1; ; i++) {
      long delay = delay();
      if (delay > 0 || i > TURN) {
        queue.flush();
        if (queue.hasAvailable()) {
          pumpLater(delay);
        }
        return;
      }
      Packet packet = queue.poll();
      if (packet == null) {
        queue.flush();
        return;
      }
      unsaid += packet.readableBytes() + packet.writableBytes();
      begin(queue, packet);
      workers.drain(); // what has ended meanwhile does not wait for all of a turn
      if (i % BATCH == 0 || unsaid >= BATCH_BYTES) {
        queue.flush();
        unsaid = 0;
      }
    }
  }

  private long delay() {
    long now = System.nanoTime();
    return Math.max(requests.delay(now), bytes.delay(now));
  }

  private void pumpLater(long nanos) {
    if (nanos == 0) {
      context.execute(this::pump);
    } else if (!timerSet) {
      timerSet = true;
      Timers.after(
          nanos,
          () ->
              context.execute(
                  () -> {
                    timerSet = false;
                    pump();
                  }));
    }
  }

  private void begin(PacketQueue queue, Packet packet) {
    BlockRequest request = BlockRequest.of(packet);
    if (request == null) {
      queue.complete(packet, 0);
      return;
    }
    requests.take(1);
    bytes.take(request.type() <= BlockRequest.OUT ? request.dataBytes() : 0);
    if (isForAnother(queue, request)) {
      workers.submit(request, epoch, server.job(request));
      return;
    }
    byte status =
        request.type() == BlockRequest.GET_ID ? giveId(request) : server.serveAtOnce(request);
    if (status == RequestServer.MUST_WAIT) {
      workers.submit(request, epoch, server.job(request));
    } else {
      queue.complete(packet, request.end(status));
    }
  }

  /**
   * Whether a worker copies what is read, while this thread goes on with the next request. Not so
   * for writes: the host's file systems let one thread write a file at a time.
   */
  private boolean isForAnother(PacketQueue queue, BlockRequest request) {
    return MANY_PROCESSORS
        && request.type() == BlockRequest.IN
        && request.dataBytes() >= ASIDE_BYTES
        && workers.areIdle()
        && queue.hasAvailable()
        && request.isWithin(image.size());
  }

  /** The name of the channel, 20 bytes at most, padded with NUL (section 5.2.6). */
  private byte giveId(BlockRequest request) {
    byte[] name = context.channelName().getBytes(StandardCharsets.UTF_8);
    request.put(java.util.Arrays.copyOf(name, ID_BYTES));
    return BlockRequest.OK;
  }

  private void complete(Queue<Workers.Done> all) {
    PacketQueue queue = context.queue(0);
    for (Workers.Done done; (done = all.poll()) != null; ) {
      if (done.epoch() == epoch) {
        queue.complete(done.request().packet(), done.request().end(done.status()));
      }
    }
    queue.flush();
  }

  /**
   * Waits for requests whose buffers the guest is going to use for other things. Those that no
   * worker has begun with are void.
   */
  @Override
  public void reset() {
    started = false;
    epoch++;
    if (!workers.stop(WAIT_MILLIS, () -> 0)) {
      throw new IllegalStateException("a request to the host does not end");
    }
    workers.drain();
    workers.resume();
  }

  /**
   * Makes the disk larger.
   *
   * @throws IOException one line for the user
   */
  public void resize(long size) throws IOException {
    image.resize(size);
    context.execute(() -> context.updateConfigSpace(configSpace()));
  }

  /** The size of the disk in bytes. */
  public long size() {
    return image.size();
  }

  /** Waits for the requests that are being served; those that wait are the next driver's. */
  private void quiesce() {
    boolean quiet = !stuck && workers.stop(WAIT_MILLIS, () -> image.hasDetachedFlush() ? 1 : 0);
    if (started && !stuck) {
      workers.drain();
    }
    workers.end();
    if (!quiet) {
      if (!stuck) {
        workers.whenIdle(this::closeLate);
      }
      stuck = true;
      // the files stay open and locked: nobody else may write while a request of ours still does
      throw new IllegalStateException("a request to the host does not end; the image stays locked");
    }
  }

  private void closeLate() {
    try {
      ending.close();
    } catch (IOException e) {
      context.reportError("the image was not closed properly", e);
    }
  }

  @Override
  public Map<String, Object> handOver() {
    image.suspendFlushes(); // else the guest waits for the medium, with all that it asks for
    quiesce();
    try {
      return ending.handOver();
    } catch (IOException e) {
      throw new IllegalStateException("the image cannot be handed over: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    quiesce();
    try {
      ending.close();
    } catch (IOException e) {
      context.reportError("the image was not closed properly", e);
    }
  }
}
