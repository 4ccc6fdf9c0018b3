// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.Packet;

/**
 * The two races in which a notification can get lost, over and over, each time from the same start:
 * both threads leave a gate, and one adds while the other decides to sleep. Without the full fences
 * of {@link Virtqueue} both may miss what the other did.
 */
class KickRaceTest {
  private static final long NANOS = TimeUnit.MILLISECONDS.toNanos(700);

  private final AtomicInteger gate = new AtomicInteger();
  private final AtomicLong interrupts = new AtomicLong();
  private volatile boolean over;

  /** Leaves when both threads have come to the same round; a few turns apart. */
  private void passGate(int round, Random random) {
    gate.incrementAndGet();
    for (int turns = 0; gate.get() < 2 * round && !over; turns++) {
      if (turns < 1000) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(1000); // the other one waits for a CPU
      }
    }
    for (int i = random.nextInt(8); i > 0; i--) {
      Thread.onSpinWait();
    }
  }

  private Virtqueue device(PlainMemory memory, ModelQueue guest, boolean eventIndex) {
    return new Virtqueue(
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
            interrupts.incrementAndGet();
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void deviceThatFoundNothingIsKicked(boolean eventIndex) throws Exception {
    PlainMemory memory = new PlainMemory(1 << 16);
    ModelQueue guest = new ModelQueue(memory, 0x1000, 4, eventIndex);
    Virtqueue device = device(memory, guest, eventIndex);
    AtomicInteger found = new AtomicInteger();
    Thread deviceThread =
        new Thread(
            () -> {
              Random random = new Random(1);
              for (int round = 1; !over; round += 2) {
                passGate(round, random);
                Packet packet = device.poll();
                found.set(packet == null ? 0 : 1);
                passGate(round + 1, random);
                // for the next round: the queue is empty and does not want to be kicked
                packet = packet == null ? device.poll() : packet;
                if (packet != null) {
                  device.complete(packet, 0);
                }
              }
            },
            "device");
    deviceThread.start();
    Random random = new Random(2);
    int lost = 0;
    int round = 1;
    for (long end = System.nanoTime() + NANOS; System.nanoTime() < end; round += 2) {
      passGate(round, random);
      guest.add(List.of(VirtqueueFixture.writable(0x8000, 8)));
      boolean kicks = guest.needsKick();
      passGate(round + 1, random);
      if (found.get() == 0 && !kicks) {
        lost++;
      }
      while (guest.takeUsed() == null) {
        LockSupport.parkNanos(1000);
      }
    }
    over = true;
    deviceThread.join();
    assertThat(lost).as("lost kicks in %d races", round / 2).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void guestThatFoundNothingIsInterrupted(boolean eventIndex) throws Exception {
    PlainMemory memory = new PlainMemory(1 << 16);
    ModelQueue guest = new ModelQueue(memory, 0x1000, 4, eventIndex);
    Virtqueue device = device(memory, guest, eventIndex);
    Thread deviceThread =
        new Thread(
            () -> {
              Random random = new Random(1);
              for (int round = 1; !over; round += 2) {
                Packet packet = null;
                while (packet == null && !over) {
                  packet = device.poll();
                }
                passGate(round, random);
                if (packet != null) {
                  device.complete(packet, 0);
                  device.flush();
                }
                passGate(round + 1, random);
              }
            },
            "device");
    deviceThread.start();
    Random random = new Random(2);
    int lost = 0;
    int round = 1;
    for (long end = System.nanoTime() + NANOS; System.nanoTime() < end; round += 2) {
      guest.disableInterrupts();
      guest.add(List.of(VirtqueueFixture.writable(0x8000, 8)));
      long before = interrupts.get();
      passGate(round, random);
      boolean nothingYet = guest.enableInterrupts();
      passGate(round + 1, random);
      if (nothingYet && interrupts.get() == before) {
        lost++;
      }
      assertThat(guest.takeUsed()).isNotNull();
    }
    over = true;
    deviceThread.join();
    assertThat(lost).as("lost interrupts in %d races", round / 2).isZero();
  }
}
