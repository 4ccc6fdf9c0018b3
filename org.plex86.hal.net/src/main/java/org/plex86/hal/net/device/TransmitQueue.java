// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;

/** Frames from the guest. Slot's thread. */
final class TransmitQueue {
  /** Frames in one go, so that a guest that sends all the time lets others have their turn. */
  private static final int BUDGET = 256;

  private final PacketQueue queue;
  private final Backend backend;
  private final long features;
  private final byte[] header = new byte[FrameHeader.BYTES];
  private final List<ByteBuffer> frame = new ArrayList<>();
  private boolean blocked;
  private long malformed;

  TransmitQueue(PacketQueue queue, Backend backend, long features) {
    this.queue = queue;
    this.backend = backend;
    this.features = features;
  }

  /** The backend takes frames again. */
  void unblock() {
    blocked = false;
  }

  /** Frames that were dropped because they, or their headers, made no sense. */
  long malformed() {
    return malformed;
  }

  /**
   * Sends what the guest has made available.
   *
   * @return whether there may be more to do at once
   */
  boolean pump() {
    int sent = 0;
    for (Packet packet; !blocked && sent < BUDGET && (packet = queue.poll()) != null; ) {
      if (send(packet)) {
        queue.complete(packet, 0);
        sent++;
      } else {
        queue.unpoll(packet);
        blocked = true;
      }
    }
    if (sent > 0) {
      backend.endOfBatch();
      queue.flush();
    }
    return sent == BUDGET;
  }

  /** Sends or drops a frame; false: not now. */
  private boolean send(Packet packet) {
    long length = packet.readableBytes() - FrameHeader.BYTES;
    if (length < FrameHeader.FRAME_MIN || length > FrameHeader.FRAME_MAX) {
      malformed++;
      return true;
    }
    packet.read(0, header, 0, FrameHeader.BYTES);
    Offload offload = FrameHeader.parse(header, (int) length, features);
    if (offload == null) {
      malformed++;
      return true;
    }
    frame.clear();
    Pieces.add(packet.readable(), FrameHeader.BYTES, (int) length, frame);
    return backend.send(frame, offload);
  }
}
