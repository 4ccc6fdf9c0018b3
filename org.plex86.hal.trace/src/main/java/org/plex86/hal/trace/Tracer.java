// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.ChannelInterposer;
import org.plex86.hal.api.ForwardingChannel;
import org.plex86.hal.api.ForwardingContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** Traces net and disk devices, and lets others pass. */
final class Tracer implements ChannelInterposer {
  private static final int NET = 1; // device IDs: section 5
  private static final int BLOCK = 2;

  private final TraceFolder folder;
  private final int snaplen;

  /**
   * Makes a tracer.
   *
   * @param snaplen how many bytes of a frame are kept
   */
  Tracer(TraceFolder folder, int snaplen) {
    this.folder = folder;
    this.snaplen = snaplen;
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config, ChannelDriver below)
      throws HalException {
    Queues queues = new Queues(context);
    Channel channel = below.open(queues, config);
    String vm = context.vmName();
    String name = context.channelName();
    if (channel.deviceId() == NET) {
      Pcap pcap = new Pcap(folder.file(vm, name, ".pcap", Pcap.header(snaplen)), snaplen);
      // an odd number of queues: receive and transmit in pairs, then the control queue (5.1.2)
      int pairs = channel.queueSizes().size() / 2 * 2;
      queues.traceBy((index, above) -> index < pairs ? new FrameQueue(above, index, pcap) : above);
    } else if (channel.deviceId() == BLOCK) {
      TraceFile log = folder.file(vm, name, ".log", RequestLine.HEADER);
      queues.traceBy((index, above) -> new RequestQueue(above, log));
    }
    return new Traced(channel);
  }

  private static final class Traced extends ForwardingChannel {
    Traced(Channel below) {
      super(below);
    }
  }

  /**
   * The context of the channel below. What kind of device that is shows only when it is open, by
   * which time it may hold its queues already.
   */
  private static final class Queues extends ForwardingContext {
    private final Map<Integer, Switch> known = new HashMap<>();
    private BiFunction<Integer, PacketQueue, PacketQueue> tracing = (index, above) -> above;

    Queues(ChannelContext above) {
      super(above);
    }

    void traceBy(BiFunction<Integer, PacketQueue, PacketQueue> how) {
      tracing = how;
      known.forEach((index, queue) -> queue.to = how.apply(index, queue.to));
    }

    @Override
    public PacketQueue queue(int index) {
      return known.computeIfAbsent(index, i -> new Switch(tracing.apply(i, super.queue(i))));
    }
  }

  /** A queue that may become a traced one. */
  private static final class Switch implements PacketQueue {
    private PacketQueue to;

    Switch(PacketQueue to) {
      this.to = to;
    }

    @Override
    public Packet poll() {
      return to.poll();
    }

    @Override
    public boolean hasAvailable() {
      return to.hasAvailable();
    }

    @Override
    public void complete(Packet packet, long written) {
      to.complete(packet, written);
    }

    @Override
    public void completeTogether(List<Packet> packets, long[] written) {
      to.completeTogether(packets, written);
    }

    @Override
    public void unpoll(Packet packet) {
      to.unpoll(packet);
    }

    @Override
    public void flush() {
      to.flush();
    }
  }
}
