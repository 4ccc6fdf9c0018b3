// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.Version;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** Drivers that come, go and crash under load: each packet comes back exactly once, unchanged. */
@Timeout(120)
class SwapStormTest {
  /** Serves packets on threads of its own, out of order, and completes them by tasks. */
  private static final class AsyncDriver implements ChannelDriver {
    private final ExecutorService workers;
    private final AtomicInteger crashes;
    private final int crashEvery;

    AsyncDriver(ExecutorService workers, AtomicInteger crashes, int crashEvery) {
      this.workers = workers;
      this.crashes = crashes;
      this.crashEvery = crashEvery;
    }

    @Override
    public Channel open(ChannelContext context, ChannelConfig config) {
      return new AsyncChannel(context);
    }

    private final class AsyncChannel implements Channel {
      private final ChannelContext context;
      private final Deque<Packet> done = new ArrayDeque<>();
      private final AtomicInteger busy = new AtomicInteger();
      private int served;

      AsyncChannel(ChannelContext context) {
        this.context = context;
      }

      @Override
      public int deviceId() {
        return EchoDriver.PROFILE.deviceId();
      }

      @Override
      public long features() {
        return EchoDriver.PROFILE.features();
      }

      @Override
      public List<Integer> queueSizes() {
        return EchoDriver.PROFILE.queueSizes();
      }

      @Override
      public byte[] configSpace() {
        return EchoDriver.PROFILE.config();
      }

      @Override
      public void start(long features) {
        // works as it is notified
      }

      @Override
      public void notify(int number) {
        PacketQueue queue = context.queue(number);
        for (Packet packet; (packet = queue.poll()) != null; ) {
          if (++served == crashEvery) {
            crashes.incrementAndGet();
            throw new IllegalStateException("on purpose, with packets in flight");
          }
          Packet held = packet;
          busy.incrementAndGet();
          workers.execute(() -> serve(held));
        }
      }

      private void serve(Packet packet) {
        byte[] number = new byte[8];
        packet.read(0, number, 0, 8);
        packet.write(0, number, 0, 8);
        busy.decrementAndGet();
        context.execute(
            () -> {
              done.addLast(packet);
              while (!done.isEmpty()) {
                context.queue(0).complete(done.removeFirst(), 8);
              }
              context.queue(0).flush();
            });
      }

      @Override
      public void reset() {
        done.clear();
      }

      @Override
      public void close() {
        // nobody may touch a packet after this; what is not completed goes to the next driver
        SlotFixture.await(() -> busy.get() == 0);
      }
    }
  }

  @Test
  void everyPacketComesBackExactlyOnceThroughHundredsOfSwaps() throws Exception {
    ExecutorService workers = Executors.newFixedThreadPool(2);
    AtomicInteger crashes = new AtomicInteger();
    Random random = new Random(5);
    try (SlotFixture f = new SlotFixture()) {
      AsyncDriver steady = new AsyncDriver(workers, crashes, Integer.MAX_VALUE);
      DriverService base = service(steady, 1, 0);
      f.registry.add(base);
      f.slot.open(Duration.ofSeconds(5));
      f.boot();
      long id = 2;
      int swaps = 0;
      DriverService beside = null;
      while (swaps < 300) {
        for (int i = random.nextInt(200); i >= 0; i--) {
          f.send();
          f.collect();
        }
        if (beside == null) {
          int crashEvery = random.nextInt(4) == 0 ? 1 + random.nextInt(50) : Integer.MAX_VALUE;
          beside = service(new AsyncDriver(workers, crashes, crashEvery), id++, 1);
          int before = f.slot.status().bindings();
          f.registry.add(beside);
          SlotFixture.await(
              () -> {
                f.send();
                f.collect();
                return f.slot.status().bindings() > before;
              });
        } else if (random.nextInt(3) > 0) {
          f.registry.remove(beside);
          beside = null;
        } else {
          f.registry.remove(base); // perhaps none is left for a moment
          f.registry.add(base);
        }
        swaps++;
      }
      f.exchange(1000);
      f.returned.sort(null);
      assertThat(f.returned).isEqualTo(LongStream.rangeClosed(1, f.sent()).boxed().toList());
      assertThat(f.slot.status().bindings()).isGreaterThan(100);
      assertThat(crashes.get()).isGreaterThan(5);
      assertThat(f.slot.status().inFlight()).isZero();
    } finally {
      workers.shutdown();
      assertThat(workers.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static DriverService service(ChannelDriver driver, long id, int ranking) {
    return new DriverService(
        driver, EchoDriver.TYPE, ranking, id, "async.bundle", Version.emptyVersion, false);
  }

  /** Resets, kicks, swaps, parks and early output from many threads: nothing ever gets stuck. */
  @Test
  void nothingGetsStuckWhenAllHappensAtOnce() throws Exception {
    EchoDriver first = new EchoDriver();
    EchoDriver second = new EchoDriver();
    try (SlotFixture f = SlotFixture.running(first)) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
      Thread drivers = new Thread(() -> comeAndGo(f, second, end), "drivers");
      Thread user = new Thread(() -> parkAndUnpark(f, end), "user");
      Thread bells = new Thread(() -> ringAll(f, end), "bells");
      List<Thread> threads = List.of(drivers, user, bells);
      threads.forEach(Thread::start);
      int rounds = 0;
      while (System.nanoTime() < end) {
        f.guest.reset();
        f.boot();
        for (int i = 0; i < 20; i++) {
          f.send();
          f.slot.write(0x100, 1, i);
        }
        rounds++;
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(rounds).isGreaterThan(20);
      f.slot.unpark();
      f.guest.reset();
      f.boot();
      long before = f.sent();
      f.returned.clear();
      f.send();
      SlotFixture.await(
          () -> {
            f.collect();
            return f.returned.equals(List.of(before + 1));
          });
      assertThat(f.errors).isEmpty();
    }
  }

  private static void comeAndGo(SlotFixture f, EchoDriver driver, long end) {
    for (long id = 10; System.nanoTime() < end; id++) {
      DriverService service = driver.service(id, 1, "1.0.0");
      f.registry.add(service);
      SemaphoreDoorbell.pause(id % 5);
      f.registry.remove(service);
    }
  }

  private static void parkAndUnpark(SlotFixture f, long end) {
    while (System.nanoTime() < end) {
      f.slot.park();
      SemaphoreDoorbell.pause(3);
      f.slot.unpark();
      SemaphoreDoorbell.pause(20);
    }
  }

  private static void ringAll(SlotFixture f, long end) {
    while (System.nanoTime() < end) {
      f.doorbell.ring(-1);
      f.slot.earlyOutput(new byte[10]);
      SemaphoreDoorbell.pause(1);
    }
  }
}
