// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;

/**
 * Frames for the guest, in the buffers that it has provided. Slot's thread.
 *
 * <p>No buffer is kept from one call of the slot to the next: a slot that changes drivers waits for
 * packets that were taken. So there is one room at a time, and it is always the same object.
 */
final class ReceiveQueue implements Port.Room {
  /** Buffers that are looked at for one frame. */
  private static final int MOST_BUFFERS = NetChannel.QUEUE_SIZE;

  private final PacketQueue queue;
  private final boolean mergeable;
  private final byte[] header = new byte[FrameHeader.BYTES];
  private final List<Packet> taken = new ArrayList<>();
  private final List<ByteBuffer> pieces = new ArrayList<>();
  private int size;
  private boolean open;
  private boolean starved;

  ReceiveQueue(PacketQueue queue, boolean mergeable) {
    this.queue = queue;
    this.mergeable = mergeable;
  }

  /** As {@link Port#room}. */
  Port.Room room(int frameSize) {
    if (open) {
      throw new IllegalStateException("the room before was neither used nor cancelled");
    }
    if (frameSize < FrameHeader.FRAME_MIN || frameSize > FrameHeader.FRAME_MAX) {
      throw new IllegalArgumentException("size=" + frameSize);
    }
    long missing = (long) FrameHeader.BYTES + frameSize;
    int most = mergeable ? MOST_BUFFERS : 1;
    for (int looked = 0; missing > 0; looked++) {
      Packet packet = looked < MOST_BUFFERS && taken.size() < most ? queue.poll() : null;
      if (packet == null) {
        putBack(0);
        starved = true;
        return null;
      }
      if (packet.writableBytes() < FrameHeader.BYTES) {
        // of no use (section 5.1.6.3.1), and in the way
        queue.complete(packet, 0);
      } else {
        taken.add(packet);
        missing -= packet.writableBytes();
      }
    }
    size = frameSize;
    open = true;
    return this;
  }

  /** Whether somebody waits for room; asks once. */
  boolean wasStarved() {
    boolean was = starved;
    starved = false;
    return was;
  }

  @Override
  public List<ByteBuffer> buffers() {
    pieces.clear();
    int skip = FrameHeader.BYTES;
    int left = size;
    for (Packet packet : taken) {
      left -= Pieces.add(packet.writable(), skip, left, pieces);
      skip = 0;
    }
    return pieces;
  }

  @Override
  public void deliver(int length, Offload offload) {
    if (!open || length < 0 || length > size) {
      throw new IllegalStateException("length=" + length + ", size=" + size + ", open=" + open);
    }
    long left = (long) FrameHeader.BYTES + length;
    long[] written = new long[taken.size()];
    int used = 0;
    while (left > 0) {
      written[used] = Math.min(left, taken.get(used).writableBytes());
      left -= written[used++];
    }
    putBack(used);
    FrameHeader.write(offload, used, header);
    taken.get(0).write(0, header, 0, FrameHeader.BYTES);
    // Linux drops a frame of which it sees the first buffer and not yet the last
    queue.completeTogether(taken, written);
    taken.clear();
    open = false;
  }

  @Override
  public void cancel() {
    if (open) {
      putBack(0);
      open = false;
    }
  }

  /** The packets are void. */
  void reset() {
    taken.clear();
    open = false;
  }

  /** Puts packets back, from the last on. */
  private void putBack(int keep) {
    for (int i = taken.size() - 1; i >= keep; i--) {
      queue.unpoll(taken.remove(i));
    }
  }
}
