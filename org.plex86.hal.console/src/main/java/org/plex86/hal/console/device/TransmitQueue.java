// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.nio.ByteBuffer;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.console.io.Saved;

/**
 * What a guest sends on a port, as one stream of bytes. A packet that the target has no room for
 * stays with the device: the guest's full queue is the back pressure. Slot's thread.
 */
final class TransmitQueue {
  /** Takes bytes of the guest. */
  interface Target {
    /** Takes as many of the remaining bytes as there is room for. */
    void accept(ByteBuffer bytes);
  }

  private static final int CHUNK = 1 << 16;

  /** Packets in one go, so that a guest that sends without end does not keep the slot's thread. */
  private static final int BUDGET = 256;

  private final byte[] chunk = new byte[CHUNK];
  private Packet current;
  private long done;

  /** Bytes of the next packet that a queue before this one has passed on already. */
  private long doneBefore;

  /**
   * Passes on what there is.
   *
   * @return whether there may be more that the target has room for
   */
  boolean pump(PacketQueue queue, Target target) {
    boolean completed = false;
    boolean more = false;
    for (int count = 0; !more; count++) {
      if (current == null) {
        current = queue.poll();
        done = current == null ? 0 : doneBefore;
        doneBefore = current == null ? doneBefore : 0;
      }
      if (current == null || !pass(target)) {
        break;
      }
      queue.complete(current, 0);
      current = null;
      completed = true;
      more = count >= BUDGET;
    }
    if (completed) {
      queue.flush();
    }
    return more;
  }

  /** Whether a packet waits for room. */
  boolean isBlocked() {
    return current != null;
  }

  /** The packets are void. */
  void reset() {
    current = null;
    doneBefore = 0;
  }

  /** Goes on in the midst of the packet that another queue was in; it comes first again. */
  void resume(Saved saved) {
    doneBefore = saved.takeNumber("done", 0);
  }

  void save(Saved into) {
    into.put("done", current == null ? doneBefore : done);
  }

  /** Passes on the current packet; false if there is no room for all of it. */
  private boolean pass(Target target) {
    long length = current.readableBytes();
    while (done < length) {
      int count = current.read(done, chunk, 0, (int) Math.min(CHUNK, length - done));
      if (count <= 0) {
        return true;
      }
      ByteBuffer bytes = ByteBuffer.wrap(chunk, 0, count);
      target.accept(bytes);
      done += bytes.position();
      if (bytes.hasRemaining()) {
        return false;
      }
    }
    return true;
  }
}
