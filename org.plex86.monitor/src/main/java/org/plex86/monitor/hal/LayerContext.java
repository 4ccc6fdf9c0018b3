// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ForwardingContext;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** The context of one service of a stack: made by the interposer above it, or the slot's own. */
final class LayerContext extends ForwardingContext {
  private final Blame blame;
  private final HalService service;
  private final HalService above;
  private final Map<Integer, PacketQueue> queues = new HashMap<>();

  /**
   * Passes calls on to the context above.
   *
   * @param service whose context it is
   * @param above whose code is behind it; null: the slot's
   */
  LayerContext(Blame blame, HalService service, HalService above, ChannelContext context) {
    super(context);
    this.blame = blame;
    this.service = service;
    this.above = above;
  }

  @Override
  public PacketQueue queue(int index) {
    if (above == null) {
      return super.queue(index);
    }
    PacketQueue known = queues.get(index);
    if (known == null) {
      known = new LayerQueue(blame.in(above, () -> super.queue(index)));
      queues.put(index, known);
    }
    return known;
  }

  @Override
  public void execute(Runnable task) {
    super.execute(() -> blame.run(service, task));
  }

  @Override
  public void updateConfigSpace(byte[] config) {
    if (above == null) {
      super.updateConfigSpace(config);
    } else {
      blame.run(above, () -> super.updateConfigSpace(config));
    }
  }

  private final class LayerQueue implements PacketQueue {
    private final PacketQueue queue;

    LayerQueue(PacketQueue queue) {
      this.queue = queue;
    }

    @Override
    public Packet poll() {
      return blame.in(above, queue::poll);
    }

    @Override
    public boolean hasAvailable() {
      return blame.in(above, queue::hasAvailable);
    }

    @Override
    public void complete(Packet packet, long written) {
      blame.run(above, () -> queue.complete(packet, written));
    }

    @Override
    public void completeTogether(List<Packet> packets, long[] written) {
      blame.run(above, () -> queue.completeTogether(packets, written));
    }

    @Override
    public void unpoll(Packet packet) {
      blame.run(above, () -> queue.unpoll(packet));
    }

    @Override
    public void flush() {
      blame.run(above, queue::flush);
    }
  }
}
