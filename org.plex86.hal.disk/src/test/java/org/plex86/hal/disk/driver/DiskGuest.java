// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;
import org.plex86.hal.testkit.TestSlot;

/** A disk, and a guest that uses it as Linux does. */
final class DiskGuest implements AutoCloseable {
  static final int IN = 0;
  static final int OUT = 1;
  static final int FLUSH = 4;
  static final int GET_ID = 8;
  static final int DISCARD = 11;
  static final int WRITE_ZEROES = 13;
  static final int OK = 0;
  static final int IO_ERROR = 1;
  static final int UNSUPPORTED = 2;

  /** What a request has come to. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Answer(int status, byte[] data) {}

  final DiskDriver driver = new DiskDriver();
  final TestSlot slot;
  private final ChannelConfig config;

  DiskGuest(String... keysAndValues) throws HalException {
    config = config(keysAndValues);
    slot = new TestSlot(context -> driver.open(context, config));
    slot.run(() -> slot.channel().start(slot.channel().features()));
  }

  static ChannelConfig config(String... keysAndValues) {
    Map<String, String> values = new HashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      values.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return new ChannelConfig() {
      @Override
      public Map<String, String> values() {
        return values;
      }

      @Override
      public String get(String key, String defaultValue) {
        return values.getOrDefault(key, defaultValue);
      }

      @Override
      public boolean getSwitch(String key, boolean defaultValue) {
        return values.getOrDefault(key, defaultValue ? "on" : "off").equals("on");
      }

      @Override
      public void requireKnown(Set<String> known) throws HalException {
        if (!known.containsAll(values.keySet())) {
          throw new HalException("unknown key");
        }
      }
    };
  }

  static byte[] header(int type, long sector) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, type)
        .putLong(8, sector)
        .array();
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  TestPacket read(long sector, int bytes) {
    return TestPacket.request(header(IN, sector), bytes + 1);
  }

  TestPacket write(long sector, byte[] bytes) {
    return TestPacket.request(join(header(OUT, sector), bytes), 1);
  }

  static byte[] range(long sector, int count, int flags) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(sector)
        .putInt(count)
        .putInt(flags)
        .array();
  }

  TestPacket other(int type, byte[] data) {
    return TestPacket.request(join(header(type, 0), data), 1);
  }

  /** Puts a request into the queue and tells the device. */
  void submit(TestPacket packet) {
    if (!slot.virtqueue(0).add(packet)) {
      throw new AssertionError("the queue is full");
    }
    slot.run(() -> slot.channel().notify(0));
  }

  /** The next request that has ended. */
  TestQueue.Used await() {
    long end = System.nanoTime() + 20_000_000_000L;
    while (System.nanoTime() < end) {
      TestQueue.Used used = slot.virtqueue(0).takeUsed();
      if (used != null) {
        return used;
      }
      Thread.onSpinWait();
    }
    throw new AssertionError("a request does not end");
  }

  Answer ask(TestPacket packet) {
    submit(packet);
    return answer(await());
  }

  static Answer answer(TestQueue.Used used) {
    byte[] all = used.packet().answer();
    return new Answer(all[all.length - 1], Arrays.copyOf(all, all.length - 1));
  }

  /** Another object of the driver takes over, as after an update of the bundle. */
  Map<String, Object> swap() {
    DiskDriver next = new DiskDriver();
    return slot.swap(context -> next.open(context, config), slot.channel().features());
  }

  @Override
  public void close() throws IOException {
    slot.close();
  }
}
