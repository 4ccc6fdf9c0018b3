// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.osgi.framework.Version;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.ChannelInterposer;
import org.plex86.hal.api.ForwardingChannel;
import org.plex86.hal.api.ForwardingContext;
import org.plex86.hal.api.ForwardingPacket;
import org.plex86.hal.api.ForwardingQueue;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** Counts what passes, in packets of its own, and misbehaves on demand. */
final class TestInterposer implements ChannelInterposer {
  final List<String> calls = new CopyOnWriteArrayList<>();
  final AtomicInteger polled = new AtomicInteger();
  final AtomicInteger completed = new AtomicInteger();
  volatile String throwsIn = "";
  volatile String hangsIn = "";
  volatile String refusal;
  volatile boolean returnsNull;
  volatile long hides;
  final CountDownLatch hang = new CountDownLatch(1);

  InterposerService service(long id, int ranking) {
    return service(id, ranking, Set.of(), Set.of());
  }

  InterposerService service(long id, int ranking, Set<String> vms, Set<String> channels) {
    return new InterposerService(
        this, Set.of("echo"), vms, channels, ranking, id, "over.bundle", new Version("0." + id));
  }

  private void called(String method) {
    calls.add(method);
    if (method.equals(hangsIn)) {
      boolean over = false;
      while (!over) {
        try {
          hang.await();
          over = true;
        } catch (InterruptedException e) {
          calls.add("interrupted");
        }
      }
    }
    if (method.equals(throwsIn)) {
      throwsIn = "";
      throw new IllegalStateException("on demand in " + method);
    }
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config, ChannelDriver below)
      throws HalException {
    called("open");
    if (returnsNull) {
      return null;
    }
    Channel channel = below.open(new Context(context), config);
    called("opened");
    if (refusal != null) {
      throw new HalException(refusal);
    }
    return new Over(channel);
  }

  private final class Over extends ForwardingChannel {
    Over(Channel below) {
      super(below);
    }

    @Override
    public long features() {
      return super.features() & ~hides;
    }

    @Override
    public void notify(int queue) {
      called("notify");
      super.notify(queue);
    }

    @Override
    public Map<String, Object> handOver() {
      called("handOver");
      return super.handOver();
    }
  }

  private final class Context extends ForwardingContext {
    Context(ChannelContext above) {
      super(above);
    }

    @Override
    public PacketQueue queue(int index) {
      return new Queue(super.queue(index));
    }
  }

  private final class Queue extends ForwardingQueue {
    Queue(PacketQueue above) {
      super(above);
    }

    @Override
    public Packet poll() {
      called("poll");
      Packet packet = super.poll();
      if (packet == null) {
        return null;
      }
      polled.incrementAndGet();
      return new Wrapped(packet);
    }

    @Override
    public void complete(Packet packet, long written) {
      completed.incrementAndGet();
      super.complete(packet, written);
    }

    @Override
    public void completeTogether(List<Packet> packets, long[] written) {
      completed.addAndGet(packets.size());
      super.completeTogether(packets, written);
    }
  }

  private static final class Wrapped extends ForwardingPacket {
    Wrapped(Packet above) {
      super(above);
    }
  }
}
