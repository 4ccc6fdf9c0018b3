// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;

/** Keeps what the guest sends, and gives it what it is told to. Slot's thread. */
final class LoopBackend implements Backend {
  final Port port;
  final List<byte[]> sent = new ArrayList<>();
  final Deque<byte[]> toDeliver = new ArrayDeque<>();
  boolean refusing;
  int roomMade;
  int batches;

  LoopBackend(Port port) {
    this.port = port;
  }

  @Override
  public void start() {
    pump();
  }

  @Override
  public boolean send(List<ByteBuffer> frame, Offload offload) {
    if (refusing) {
      return false;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (ByteBuffer piece : frame) {
      byte[] copy = new byte[piece.remaining()];
      piece.get(copy);
      bytes.writeBytes(copy);
    }
    sent.add(bytes.toByteArray());
    return true;
  }

  @Override
  public void endOfBatch() {
    batches++;
  }

  @Override
  public void roomAgain() {
    roomMade++;
    pump();
  }

  /** Delivers what there is room for. */
  void pump() {
    for (byte[] frame; (frame = toDeliver.peek()) != null; toDeliver.poll()) {
      Port.Room room = port.room(frame.length);
      if (room == null) {
        return;
      }
      int at = 0;
      for (ByteBuffer buffer : room.buffers()) {
        int count = buffer.remaining();
        buffer.put(frame, at, count);
        at += count;
      }
      room.deliver(frame.length, Offload.NONE);
    }
    port.flush();
  }

  @Override
  public Map<String, Object> handOver() {
    return Map.of("loop/1/frames", new ArrayDeque<>(toDeliver));
  }

  @Override
  public void close() {
    // holds nothing
  }
}
