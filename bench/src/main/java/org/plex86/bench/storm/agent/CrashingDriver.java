// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm.agent;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;

/** Passes all on to a driver, and throws when that has just taken packets: a crash in full load. */
final class CrashingDriver implements ChannelDriver {
  /** The first ones come with the start of the channel, whether there are packets or not. */
  private static final int NOTIFICATIONS = 6;

  private final ChannelDriver driver;
  private final CountDownLatch crashed = new CountDownLatch(1);

  CrashingDriver(ChannelDriver driver) {
    this.driver = driver;
  }

  boolean awaitCrash(long millis) throws InterruptedException {
    return crashed.await(millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) throws HalException {
    Channel channel = driver.open(context, config);
    return new CrashingChannel(channel);
  }

  private final class CrashingChannel implements Channel {
    private final Channel channel;
    private int notified;

    CrashingChannel(Channel channel) {
      this.channel = channel;
    }

    @Override
    public int deviceId() {
      return channel.deviceId();
    }

    @Override
    public long features() {
      return channel.features();
    }

    @Override
    public List<Integer> queueSizes() {
      return channel.queueSizes();
    }

    @Override
    public byte[] configSpace() {
      return channel.configSpace();
    }

    @Override
    public void start(long features) {
      channel.start(features);
    }

    @Override
    public void notify(int queue) {
      channel.notify(queue);
      if (++notified >= NOTIFICATIONS) {
        crashed.countDown();
        throw new IllegalStateException("a crash on purpose, of the storm");
      }
    }

    @Override
    public void configWritten(int offset, byte[] value) {
      channel.configWritten(offset, value);
    }

    @Override
    public void reset() {
      channel.reset();
    }

    @Override
    public void earlyOutput(byte[] text) {
      channel.earlyOutput(text);
    }

    @Override
    public void close() {
      channel.close();
    }

    @Override
    public Map<String, Object> handOver() {
      return channel.handOver();
    }
  }
}
