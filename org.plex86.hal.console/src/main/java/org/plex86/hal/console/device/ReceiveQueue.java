// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.nio.ByteBuffer;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** What a guest receives on a port, in the buffers that it has provided. Slot's thread. */
final class ReceiveQueue {
  /** Bytes for the guest. */
  interface Source {
    boolean hasBytes();

    /** Moves bytes into a buffer. */
    void read(ByteBuffer into);
  }

  /** Buffers in one go: see {@link TransmitQueue}. */
  private static final int BUDGET = 256;

  private ReceiveQueue() {}

  /**
   * Fills the guest's buffers.
   *
   * @return whether there may be more to do
   */
  static boolean pump(PacketQueue queue, Source source) {
    int count = 0;
    for (Packet packet;
        count < BUDGET && source.hasBytes() && (packet = queue.poll()) != null;
        count++) {
      long written = 0;
      for (ByteBuffer buffer : packet.writable()) {
        int start = buffer.position();
        source.read(buffer);
        written += buffer.position() - start;
        if (buffer.hasRemaining()) {
          break;
        }
      }
      queue.complete(packet, written);
    }
    if (count > 0) {
      queue.flush();
    }
    return count >= BUDGET;
  }
}
