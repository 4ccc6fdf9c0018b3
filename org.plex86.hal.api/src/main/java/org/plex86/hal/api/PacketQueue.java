// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A queue of packets between the guest and a channel (a virtqueue). All methods are for the slot's
 * thread.
 *
 * <p>The usual loop:
 *
 * <pre>{@code
 * for (Packet p; (p = queue.poll()) != null; ) {
 *   long written = serve(p);
 *   queue.complete(p, written);
 * }
 * queue.flush();
 * }</pre>
 *
 * A malformed chain never reaches the driver: the monitor marks the device as broken (section
 * 2.1.1, DEVICE_NEEDS_RESET), says so in the log, and {@link #poll} returns null from then on.
 */
@ProviderType
public interface PacketQueue {
  /** Takes the next packet that the guest made available; null if there is none. */
  Packet poll();

  /** Whether {@link #poll} would return a packet. */
  boolean hasAvailable();

  /**
   * Gives a packet back to the guest. Packets may be completed in any order.
   *
   * @param written bytes written into the packet's writable part, from its start; 0 to {@link
   *     Packet#writableBytes}
   * @throws IllegalArgumentException more was written than there is room for
   * @throws IllegalStateException the packet was completed before
   */
  void complete(Packet packet, long written);

  /**
   * Gives several packets back, which the guest sees all at once: for devices whose packets belong
   * together, such as the buffers of one frame (section 5.1.6.4.1).
   *
   * @param written bytes written into each, as in {@link #complete}
   */
  void completeTogether(List<Packet> packets, long[] written);

  /** Puts back the packet that was polled last, so that the next poll returns it again. */
  void unpoll(Packet packet);

  /** Interrupts the guest if it wants to know of what was completed since the last call. */
  void flush();
}
