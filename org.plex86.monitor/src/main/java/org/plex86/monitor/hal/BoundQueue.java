// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * A queue as one binding of a driver sees it. It outlives resets of the guest, before and after
 * which it has no packets, and is dead once its binding is closed, so that what an old driver
 * completes late is refused.
 */
final class BoundQueue implements PacketQueue {
  private final Binding binding;
  private final int number;

  BoundQueue(Binding binding, int number) {
    this.binding = binding;
    this.number = number;
  }

  @Override
  public Packet poll() {
    Virtqueue queue = binding.virtqueue(number);
    return queue == null || binding.isHeld() ? null : queue.poll();
  }

  @Override
  public boolean hasAvailable() {
    Virtqueue queue = binding.virtqueue(number);
    return queue != null && !binding.isHeld() && queue.hasAvailable();
  }

  @Override
  public void complete(Packet packet, long written) {
    Virtqueue queue = binding.virtqueue(number);
    if (queue != null) {
      queue.complete(packet, written);
    }
  }

  @Override
  public void completeTogether(List<Packet> packets, long[] written) {
    Virtqueue queue = binding.virtqueue(number);
    if (queue != null) {
      queue.completeTogether(packets, written);
    }
  }

  @Override
  public void unpoll(Packet packet) {
    Virtqueue queue = binding.virtqueue(number);
    if (queue != null) {
      queue.unpoll(packet);
    }
  }

  @Override
  public void flush() {
    Virtqueue queue = binding.virtqueue(number);
    if (queue != null) {
      queue.flush();
    }
  }
}
