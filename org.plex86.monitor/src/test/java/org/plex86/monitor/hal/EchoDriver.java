// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.osgi.framework.Version;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.monitor.virtio.DeviceProfile;

/**
 * A driver whose queue 0 takes packets of a number (8 bytes readable) and gives the number back (8
 * bytes writable). It notes all calls, and misbehaves on demand: throws or hangs in a method by
 * name.
 */
final class EchoDriver implements ChannelDriver {
  static final String TYPE = "echo";
  static final DeviceProfile PROFILE =
      new DeviceProfile(4, 0x30, List.of(64, 8), new byte[] {1, 2, 3, 4});

  private final List<Echo> channels = new CopyOnWriteArrayList<>();
  final List<String> calls = new CopyOnWriteArrayList<>();

  volatile DeviceProfile profile = PROFILE;
  volatile String refusal;
  volatile String throwsIn = "";
  volatile String hangsIn = "";

  /** What a channel hands over; a key that begins with "taken" is taken by the next. */
  volatile Map<String, Object> handsOver = Map.of();

  /** What the latest channel found as inherited, before it took some. */
  volatile Map<String, Object> found = Map.of();

  /** Whether packets stay in the queue when they are announced. */
  volatile boolean ignoresKicks;

  /** Whether a close serves what is in the queue. */
  volatile boolean servesInClose;

  /** How many packets are held back, to be completed by later notifications only. */
  volatile int holdsBack;

  /** Ends the hanging. */
  final CountDownLatch hang = new CountDownLatch(1);

  DriverService service(long id, int ranking, String version) {
    return service(id, ranking, version, false);
  }

  DriverService lingeringService(long id, int ranking, String version) {
    return service(id, ranking, version, true);
  }

  private DriverService service(long id, int ranking, String version, boolean lingers) {
    return new DriverService(this, TYPE, ranking, id, "echo.bundle", new Version(version), lingers);
  }

  Echo channel() {
    return channels.get(channels.size() - 1);
  }

  private void called(String method) {
    calls.add(method);
    if (method.startsWith(hangsIn) && !hangsIn.isEmpty()) {
      awaitHang();
    }
    if (method.startsWith(throwsIn) && !throwsIn.isEmpty()) {
      throwsIn = "";
      throw new IllegalStateException("on demand in " + method);
    }
  }

  private void awaitHang() {
    boolean over = false;
    while (!over) { // does not even listen to an interrupt
      try {
        hang.await();
        over = true;
      } catch (InterruptedException e) {
        calls.add("interrupted");
      }
    }
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) throws HalException {
    called("open");
    found = new HashMap<>(context.inherited());
    if (refusal != null) {
      throw new HalException(refusal);
    }
    context.inherited().keySet().removeIf(key -> key.startsWith("taken"));
    Echo echo = new Echo(context);
    channels.add(echo);
    return echo;
  }

  final class Echo implements Channel {
    final ChannelContext context;
    final Deque<Packet> held = new ArrayDeque<>();
    final List<Long> seen = new ArrayList<>();

    Echo(ChannelContext context) {
      this.context = context;
    }

    @Override
    public int deviceId() {
      return profile.deviceId();
    }

    @Override
    public long features() {
      return profile.features();
    }

    @Override
    public List<Integer> queueSizes() {
      return profile.queueSizes();
    }

    @Override
    public byte[] configSpace() {
      return profile.config();
    }

    @Override
    public void start(long features) {
      called("start 0x" + Long.toHexString(features));
    }

    @Override
    public void notify(int number) {
      called("notify " + number);
      if (!ignoresKicks) {
        serve(number);
      }
    }

    private void serve(int number) {
      PacketQueue queue = context.queue(number);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        held.addLast(packet);
        byte[] in = new byte[8];
        packet.read(0, in, 0, 8);
        seen.add(ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN).getLong());
      }
      while (held.size() > holdsBack) {
        finishOne(queue);
      }
      queue.flush();
    }

    void finishOne(PacketQueue queue) {
      Packet packet = held.removeFirst();
      byte[] number = new byte[8];
      packet.read(0, number, 0, 8);
      queue.complete(packet, packet.write(0, number, 0, 8));
    }

    @Override
    public void configWritten(int offset, byte[] value) {
      called("configWritten " + offset + " " + Arrays.toString(value));
    }

    @Override
    public void earlyOutput(byte[] text) {
      called("earlyOutput " + text.length);
    }

    @Override
    public void reset() {
      called("reset");
      held.clear();
    }

    @Override
    public void close() {
      called("close");
      if (servesInClose) {
        serve(0);
      }
    }

    @Override
    public Map<String, Object> handOver() {
      called("handOver");
      if (servesInClose) {
        serve(0);
      }
      return handsOver;
    }
  }
}
