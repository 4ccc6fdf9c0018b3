// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.itest.lingering.RngChannel;

/**
 * A driver of virtio-rng (device ID 4) whose random bytes are lines of 16 bytes, numbered on. The
 * count is all drivers' and goes on when a packet is completed, so that a line that the guest gets
 * twice or not at all shows.
 */
final class CountingRng implements ChannelDriver {
  static final String TYPE = "counting-rng";

  /** A 1, 14 digits, a line feed: numbers that begin with a 0 are octal to busybox awk. */
  static final int LINE = 16;

  private final AtomicLong count;
  private final AtomicInteger crashes;
  private final int crashEvery;

  /**
   * A driver that goes on counting.
   *
   * @param crashEvery after how many packets a channel crashes, with one in flight; 0: never
   */
  CountingRng(AtomicLong count, AtomicInteger crashes, int crashEvery) {
    this.count = count;
    this.crashes = crashes;
    this.crashEvery = crashEvery;
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) {
    return new Rng(context);
  }

  private final class Rng extends RngChannel {
    private final ChannelContext context;
    private int served;

    Rng(ChannelContext context) {
      this.context = context;
    }

    @Override
    public void notify(int number) {
      PacketQueue queue = context.queue(number);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        long first = count.get();
        int lines = (int) (packet.writableBytes() / LINE);
        for (int i = 0; i < lines; i++) {
          byte[] line = "1%014d\n".formatted(first + i).getBytes(StandardCharsets.US_ASCII);
          packet.write((long) i * LINE, line, 0, LINE);
        }
        if (++served == crashEvery) {
          crashes.incrementAndGet();
          throw new IllegalStateException("crash on purpose, with a packet in flight");
        }
        count.addAndGet(lines);
        queue.complete(packet, (long) lines * LINE);
      }
      queue.flush();
    }
  }
}
