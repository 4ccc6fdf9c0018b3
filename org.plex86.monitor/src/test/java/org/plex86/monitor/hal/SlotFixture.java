// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.virtio.ModelGuest;
import org.plex86.monitor.virtio.ModelQueue;
import org.plex86.monitor.virtio.PlainMemory;

/** A slot, a registry, and a guest that sends numbers and gets them back. */
final class SlotFixture implements AutoCloseable, ChannelHost {
  static final SlotTiming TIMING =
      new SlotTiming(Duration.ofMillis(20), Duration.ofMillis(200), Duration.ofMillis(300));
  private static final int DATA = 0x40000;

  final PlainMemory memory = new PlainMemory(1 << 20);
  final ByteBuffer page = ByteBuffer.allocateDirect(8192).alignedSlice(4096).slice(0, 4096);
  final SemaphoreDoorbell doorbell = new SemaphoreDoorbell();
  final DriverRegistry registry = new DriverRegistry();
  final List<String> lines = new CopyOnWriteArrayList<>();
  final List<String> errors = new CopyOnWriteArrayList<>();
  final List<Integer> results = new CopyOnWriteArrayList<>();
  final ChannelSlot slot;
  final ModelGuest guest;

  private final List<Long> numberOfHead = new ArrayList<>();
  private final List<Integer> placeOfHead = new ArrayList<>();
  private final Queue<Integer> freePlaces = new ArrayDeque<>();
  private List<ModelQueue> queues = List.of();
  private long nextSent = 1;
  private int lastPlace;
  final List<Long> returned = new ArrayList<>();

  SlotFixture(String spec) throws HalException {
    this(spec, TIMING);
  }

  SlotFixture(String spec, SlotTiming timing) throws HalException {
    slot =
        new ChannelSlot(
            ChannelSpec.parse(spec),
            new SlotResources(memory, page, () -> {}, doorbell),
            this,
            registry,
            timing);
    guest = new ModelGuest(memory, page, slot::write);
  }

  SlotFixture() throws HalException {
    this("type=echo,name=echo0");
  }

  /** Opened, with a guest whose driver is up. */
  static SlotFixture running(EchoDriver driver) throws HalException {
    return running(driver.service(1, 0, "1.0.0"), TIMING);
  }

  /** Opened, with a guest whose driver is up. */
  static SlotFixture running(DriverService driver, SlotTiming timing) throws HalException {
    SlotFixture fixture = new SlotFixture("type=echo,name=echo0", timing);
    fixture.registry.add(driver);
    fixture.slot.open(Duration.ofSeconds(5));
    fixture.boot();
    return fixture;
  }

  void boot() {
    queues = guest.probe(64, 8);
    numberOfHead.clear();
    placeOfHead.clear();
    freePlaces.clear();
    for (int i = 0; i < 64; i++) {
      numberOfHead.add(0L);
      placeOfHead.add(0);
      freePlaces.add(DATA + i * 16);
    }
  }

  /** Sends the next number if there is room. Returns whether there was. */
  boolean send() {
    ModelQueue queue = queues.get(0);
    if (queue.freeDescriptors() < 2) {
      return false;
    }
    // not a place by the number: one that is served late may see many that came after it return
    int place = freePlaces.remove();
    memory.all().putLong(place, nextSent).putLong(place + 8, 0);
    int head =
        queue.add(
            List.of(
                new ModelQueue.Buffer(place, 8, false), new ModelQueue.Buffer(place + 8, 8, true)));
    numberOfHead.set(head, nextSent);
    placeOfHead.set(head, place);
    lastPlace = place;
    nextSent++;
    if (queue.needsKick()) {
      doorbell.ring(1);
    }
    return true;
  }

  /** The last byte that the driver may write in the packet that was sent last. */
  byte lastByte() {
    return memory.all().get(lastPlace + 15);
  }

  /** Takes what has come back, checked. */
  void collect() {
    for (ModelQueue.Used used; (used = queues.get(0).takeUsed()) != null; ) {
      long number = numberOfHead.set(used.head(), 0L);
      int place = placeOfHead.get(used.head());
      assertThat(used.written()).isEqualTo(8);
      assertThat(memory.all().getLong(place + 8)).isEqualTo(number);
      freePlaces.add(place);
      returned.add(number);
    }
  }

  /** Sends numbers and waits until all have come back. */
  void exchange(int count) {
    long last = nextSent + count;
    await(
        () -> {
          for (boolean room = true; room && nextSent < last; room = send()) {}
          collect();
          return nextSent == last && returned.size() == last - 1;
        });
  }

  long sent() {
    return nextSent - 1;
  }

  static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not so within 10 seconds");
      }
      SemaphoreDoorbell.pause(1);
    }
  }

  void awaitState(SlotState state) {
    await(() -> slot.status().state() == state);
  }

  @Override
  public String vmName() {
    return "vm";
  }

  @Override
  public void log(String channel, String line) {
    lines.add(line);
  }

  @Override
  public void reportError(String channel, String message, Throwable cause) {
    errors.add(message);
  }

  @Override
  public void reportResult(String channel, int status) {
    results.add(status);
  }

  @Override
  public void close() {
    slot.close();
    assertThat(memory.guardsIntact()).isTrue();
  }
}
