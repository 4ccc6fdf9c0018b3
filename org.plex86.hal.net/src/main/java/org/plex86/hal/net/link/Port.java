// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.link;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A guest's network card, as what it is plugged into sees it. For the slot's thread if not said.
 */
public interface Port {
  /** Room in guest memory for one frame. Ends with {@link #deliver} or {@link #cancel}. */
  interface Room {
    /** Where the Ethernet frame goes, without the virtio header; position 0, big-endian order. */
    List<ByteBuffer> buffers();

    /** The frame is there: its length in bytes, and what of it is left to the guest to do. */
    void deliver(int length, Offload offload);

    /** The room is the guest's again, unused. */
    void cancel();
  }

  /**
   * Room for a frame.
   *
   * @param size bytes of the frame, 14 to {@link #largestFrame}
   * @return null: the guest has not made enough available; {@link Backend#roomAgain} will be called
   *     when that has changed
   */
  Room room(int size);

  /**
   * The largest frame that the guest takes: 65,550 where it has negotiated segmentation, else that
   * of its MTU. Such a frame needs an {@link Offload} if it is larger than the MTU.
   */
  int largestFrame();

  /** Whether the guest takes frames whose checksum is left to it. */
  boolean takesPartialChecksums();

  /** Whether the guest takes frames of a segmentation. */
  boolean takes(Offload.Segmentation segmentation);

  /** The card's address, 6 bytes. Any thread. */
  byte[] mac();

  /** Tells the guest of the frames that were delivered since the last call. */
  void flush();

  /** The backend can take frames again. Any thread. */
  void resumeSending();

  /** Tells the guest whether the cable is plugged in. */
  void setLinkUp(boolean up);

  /** Runs a task on the slot's thread, later. Any thread. */
  void execute(Runnable task);

  /** Logs a failure of the host's side, once a cause. Any thread. */
  void reportError(String message, Throwable cause);
}
