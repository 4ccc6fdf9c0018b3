// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.link;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/**
 * What a guest's network card is plugged into. All methods are called on the thread of the
 * channel's slot, and none may block: work of other threads is brought in by {@link Port#execute}.
 */
public interface Backend {
  /** The guest's driver is up, for the first time or again; the port may be used from now on. */
  void start();

  /**
   * A frame from the guest.
   *
   * @param frame the Ethernet frame without the virtio header, position 0 of each buffer,
   *     big-endian order; windows into guest memory, which the guest can change at any time, valid
   *     until this returns
   * @return false: not now. The card keeps the frame and all after it until {@link
   *     Port#resumeSending}, so that the guest feels the back pressure
   */
  boolean send(List<ByteBuffer> frame, Offload offload);

  /** A batch of frames has been sent for now: time to flush what was put together of them. */
  default void endOfBatch() {}

  /** The guest has room again, after {@link Port#room} had returned null. */
  void roomAgain();

  /** The guest's driver has gone; {@link #start} may follow. Connections of the host are kept. */
  default void stop() {}

  /**
   * Ends the backend, but keeps what its successor goes on with: see {@link
   * org.plex86.hal.api.Channel#handOver}. The frames that the guest was not yet given are part of
   * it.
   */
  Map<String, Object> handOver();

  /** Ends the backend, and closes all it has. */
  void close();
}
