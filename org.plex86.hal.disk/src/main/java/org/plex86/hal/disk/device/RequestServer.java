// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.IoVector;
import org.plex86.hal.disk.io.SuspendedException;

/** Does what requests ask for, and gives their status. Any thread. */
final class RequestServer {
  /** No status: the request was not served, and has to be on a thread that can wait. */
  static final byte MUST_WAIT = -1;

  /** No status: the request was not served, or not to its end, and is the next driver's. */
  static final byte SUSPENDED = -2;

  private static final int RANGE_BYTES = 16;
  private static final int FLAG_UNMAP = 1;

  private final ChannelContext context;
  private final DiskImage image;
  private volatile boolean writeThrough;

  /** Counts changes of the image, each after it was made; the first stands for those before us. */
  private final AtomicLong changes = new AtomicLong(1);

  /** How many of the changes a flush that has ended covers. */
  private final AtomicLong durable = new AtomicLong();

  RequestServer(ChannelContext context, DiskImage image) {
    this.context = context;
    this.image = image;
  }

  /** Whether each write is made durable before it ends. */
  void setWriteThrough(boolean on) {
    writeThrough = on;
  }

  /** Serves a request if that needs no waiting. */
  byte serveAtOnce(BlockRequest request) {
    try {
      return switch (request.type()) {
        case BlockRequest.IN -> {
          if (!request.isWithin(image.size())) {
            yield BlockRequest.IO_ERROR;
          }
          yield image.tryRead(request.offset(), request.data()) ? BlockRequest.OK : MUST_WAIT;
        }
        case BlockRequest.OUT -> {
          if (!image.isWritable() || !request.isWithin(image.size())) {
            yield BlockRequest.IO_ERROR;
          }
          if (writeThrough) {
            yield MUST_WAIT;
          }
          boolean written = image.tryWrite(request.offset(), request.data());
          if (!written) {
            yield MUST_WAIT;
          }
          changes.incrementAndGet();
          yield BlockRequest.OK;
        }
        case BlockRequest.FLUSH -> durable.get() == changes.get() ? BlockRequest.OK : MUST_WAIT;
        case BlockRequest.DISCARD, BlockRequest.WRITE_ZEROES ->
            image.isWritable() ? MUST_WAIT : BlockRequest.IO_ERROR;
        default -> BlockRequest.UNSUPPORTED;
      };
    } catch (IOException e) {
      return failed(request, e);
    }
  }

  /** The work of a request that {@link #serveAtOnce} has found to be one that must wait. */
  Workers.Job job(BlockRequest request) {
    // the buffers are described here, on the slot's thread, where the packet surely is still ours
    IoVector data = request.type() <= BlockRequest.OUT ? request.data() : null;
    return () -> {
      try {
        return serve(request, data);
      } catch (SuspendedException e) {
        return SUSPENDED;
      } catch (IOException e) {
        return failed(request, e);
      }
    };
  }

  private byte serve(BlockRequest request, IoVector data) throws IOException {
    switch (request.type()) {
      case BlockRequest.IN -> image.read(request.offset(), data);
      case BlockRequest.OUT -> {
        image.write(request.offset(), data);
        changes.incrementAndGet();
        if (writeThrough) {
          image.flush();
        }
      }
      case BlockRequest.FLUSH -> flush();
      default -> {
        return serveRanges(request);
      }
    }
    return BlockRequest.OK;
  }

  private void flush() throws IOException {
    // Read before: what is written while the flush runs is not covered by it. Told after: another
    // flush that comes meanwhile must not end before this one, nor well if this one fails.
    long covered = changes.get();
    image.flush();
    durable.accumulateAndGet(covered, Math::max);
  }

  /** Discard and write-zeroes: segments of sector, count and flags (section 5.2.6). */
  private byte serveRanges(BlockRequest request) throws IOException {
    long length = request.dataBytes();
    if (length <= 0
        || length % RANGE_BYTES != 0
        || length > (long) RANGE_BYTES * BlockConfig.RANGES_MAX) {
      return BlockRequest.IO_ERROR;
    }
    ByteBuffer ranges = ByteBuffer.wrap(request.copyOfData()).order(ByteOrder.LITTLE_ENDIAN);
    while (ranges.hasRemaining()) {
      long sector = ranges.getLong();
      long count = Integer.toUnsignedLong(ranges.getInt());
      int flags = ranges.getInt();
      boolean zeroes = request.type() == BlockRequest.WRITE_ZEROES;
      if ((flags & ~(zeroes ? FLAG_UNMAP : 0)) != 0) {
        return BlockRequest.UNSUPPORTED;
      }
      if (count > BlockConfig.RANGE_SECTORS_MAX
          || !BlockRequest.isRange(sector, count, image.size() / BlockConfig.SECTOR)) {
        return BlockRequest.IO_ERROR;
      }
      long offset = sector * BlockConfig.SECTOR;
      if (zeroes) {
        image.writeZeroes(offset, count * BlockConfig.SECTOR, (flags & FLAG_UNMAP) != 0);
      } else {
        image.discard(offset, count * BlockConfig.SECTOR);
      }
      changes.incrementAndGet();
    }
    if (writeThrough) {
      image.flush();
    }
    return BlockRequest.OK;
  }

  private byte failed(BlockRequest request, IOException cause) {
    String what =
        switch (request.type()) {
          case BlockRequest.IN -> "cannot read";
          case BlockRequest.OUT -> "cannot write";
          case BlockRequest.FLUSH -> "cannot make durable what was written to";
          default -> "cannot give back a part of";
        };
    context.reportError(
        "%s '%s', the guest gets an IO error".formatted(what, image.files().get(0).path()), cause);
    return BlockRequest.IO_ERROR;
  }
}
