// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest.lingering;

import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/**
 * A bundle of its own with a driver of virtio-rng that gives the letter a, and z once its bundle
 * was updated: for that it needs a class that nothing has needed before.
 */
public final class LingeringRng implements BundleActivator, ChannelDriver {
  public static final String TYPE = "lingering-rng";

  /** How long the old version has to go on by itself when its bundle is updated. */
  private static final long START_MILLIS = 500;

  /** By then the framework has the new version's content in place of the old one's. */
  private static final long UPDATED_NANOS = 200_000_000;

  private static final int BLOCK = 64;

  private volatile boolean stopped;
  private volatile long stoppedAt; // by System.nanoTime

  @Override
  public void start(BundleContext context) throws Exception {
    if (!context.getDataFile("started").createNewFile()) {
      Thread.sleep(START_MILLIS);
    }
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, TYPE);
    properties.put(ChannelDriver.LINGERS, true);
    context.registerService(ChannelDriver.class, this, properties);
  }

  @Override
  public void stop(BundleContext context) {
    stoppedAt = System.nanoTime();
    stopped = true;
  }

  private boolean isUpdated() {
    return stopped && System.nanoTime() - stoppedAt > UPDATED_NANOS;
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) {
    return new Rng(context);
  }

  private final class Rng extends RngChannel {
    private final ChannelContext context;

    Rng(ChannelContext context) {
      this.context = context;
    }

    @Override
    public void notify(int number) {
      PacketQueue queue = context.queue(number);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        byte[] block = new byte[(int) Math.min(packet.writableBytes(), BLOCK)];
        Arrays.fill(block, isUpdated() ? Lazy.letter() : (byte) 'a');
        packet.write(0, block, 0, block.length);
        queue.complete(packet, block.length);
      }
      queue.flush();
    }
  }
}
