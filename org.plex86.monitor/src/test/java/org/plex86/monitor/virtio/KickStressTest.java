// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.Packet;

/**
 * A guest and a device on two threads that sleep whenever they have nothing to do, and wake each
 * other only when the rings say that the other wants it. A lost kick or interrupt leaves both
 * asleep.
 */
class KickStressTest {
  private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(1500);
  private static final long STUCK_SECONDS = 10;

  private final Semaphore kicks = new Semaphore(0);
  private final Semaphore interrupts = new Semaphore(0);
  private final AtomicLong added = new AtomicLong();
  private final AtomicLong served = new AtomicLong();
  private volatile boolean over;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void noKickAndNoInterruptIsLost(boolean eventIndex) throws Exception {
    PlainMemory memory = new PlainMemory(1 << 16);
    ModelQueue guest = new ModelQueue(memory, 0x1000, 4, eventIndex);
    Virtqueue device =
        new Virtqueue(
            0,
            guest.layout(),
            VirtqueueFixture.features(eventIndex),
            memory,
            new Virtqueue.Owner() {
              @Override
              public void violated(int queue, String what) {
                throw new AssertionError(what);
              }

              @Override
              public void interrupt() {
                interrupts.release();
              }
            });
    Thread deviceThread = new Thread(() -> serve(device), "device");
    deviceThread.start();
    long sent = send(guest);
    over = true;
    kicks.release();
    deviceThread.join();
    assertThat(served).hasValue(sent);
    assertThat(sent).isGreaterThan(10_000);
  }

  private long send(ModelQueue guest) throws InterruptedException {
    Random random = new Random(1);
    long sent = 0;
    long back = 0;
    long end = System.nanoTime() + NANOS;
    while (System.nanoTime() < end) {
      for (int i = random.nextInt(4); i >= 0 && guest.freeDescriptors() > 0; i--) {
        sent++;
        // before it is: a driver that believes the queue empty must not have left something there
        added.set(sent);
        guest.add(List.of(VirtqueueFixture.writable(0x8000, 8)));
      }
      if (guest.needsKick()) {
        kicks.release();
      }
      pause(random);
      while (guest.takeUsed() != null) {
        back++;
      }
      // waits for the device when the queue is full, now and then when anything is under way
      while (guest.freeDescriptors() == 0 || (back < sent && random.nextInt(4) == 0)) {
        if (guest.enableInterrupts() && !interrupts.tryAcquire(STUCK_SECONDS, TimeUnit.SECONDS)) {
          throw new AssertionError("no interrupt: sent %d, back %d".formatted(sent, back));
        }
        guest.disableInterrupts();
        while (guest.takeUsed() != null) {
          back++;
        }
      }
    }
    return sent;
  }

  private void serve(Virtqueue device) {
    Random random = new Random(2);
    boolean again = false;
    while (true) {
      if (!again && !over) {
        kicks.acquireUninterruptibly();
        kicks.drainPermits();
      }
      // a driver that takes all, or one that leaves the queue empty without having looked
      boolean looks = random.nextBoolean();
      for (Packet packet;
          (looks || served.get() < added.get()) && (packet = device.poll()) != null; ) {
        pause(random);
        device.complete(packet, 0);
        served.incrementAndGet();
        if (random.nextInt(3) == 0) {
          device.flush();
        }
      }
      again = device.settle();
      if (over && !again) {
        return;
      }
    }
  }

  private static void pause(Random random) {
    for (int i = random.nextInt(random.nextInt(8) == 0 ? 200 : 8); i > 0; i--) {
      Thread.onSpinWait();
    }
  }
}
