// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.monitor.hal.SlotFixture.await;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.HalException;

/** Drivers that crash and that hang: the slot goes on, and no packet is lost. */
@Timeout(60)
class CrashTest {
  private final EchoDriver old = new EchoDriver();
  private final EchoDriver fresh = new EchoDriver();

  private static List<Long> numbers(long count) {
    return LongStream.rangeClosed(1, count).boxed().toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "notify", "handOver"})
  void crashLosesNothingAndTheDriverIsOpenedAgain(String method) throws HalException {
    old.holdsBack = 3;
    try (SlotFixture f = SlotFixture.running(old)) {
      for (int i = 0; i < 3; i++) {
        f.send();
      }
      await(() -> f.slot.status().inFlight() == 3);
      old.holdsBack = 0;
      old.throwsIn = method;
      if (!method.equals("notify")) {
        f.slot.park();
        f.awaitState(SlotState.PARKED);
        f.slot.unpark();
      }
      f.exchange(2);
      assertThat(f.returned).isEqualTo(numbers(5));
      assertThat(f.errors).hasSize(1);
      assertThat(f.errors.get(0)).contains("echo.bundle 1.0.0").contains(method);
    }
  }

  @Test
  void crashInTaskCountsAsTheDrivers() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.channel()
          .context
          .execute(
              () -> {
                throw new StackOverflowError();
              });
      await(() -> f.slot.status().bindings() == 2);
      f.exchange(3);
      assertThat(f.errors).containsExactly("echo.bundle 1.0.0 crashed in a task");
      assertThat(f.slot.status().crashes()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"configWritten", "earlyOutput", "reset"})
  void crashInRareCallbackIsSurvived(String method) throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.throwsIn = method;
      f.slot.write(0x101, 2, 0x1234);
      f.slot.earlyOutput(new byte[7]);
      f.guest.reset();
      await(() -> f.slot.status().bindings() == 2);
      await(() -> old.calls.containsAll(List.of("configWritten 1 [52, 18]", "earlyOutput 7")));
      f.boot();
      f.send();
      await(() -> f.slot.status().completed() == 1);
    }
  }

  @Test
  void otherDriverServesWhereTheBestCrashes() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      fresh.throwsIn = "open";
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      await(() -> f.slot.status().bindings() == 2);
      f.exchange(5);
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      assertThat(f.errors).containsExactly("echo.bundle 1.0.0 crashed in open");
    }
  }

  @Test
  void driverThatAlwaysCrashesIsGivenUp() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.refusal = "no more";
      old.throwsIn = "notify";
      f.send();
      f.awaitState(SlotState.PARKED);
      assertThat(f.slot.status().reason()).contains("it crashed in notify");
      f.registry.add(fresh.service(2, 0, "1.0.0"));
      f.exchange(1);
      assertThat(f.returned).isEqualTo(numbers(2));
    }
  }

  @Test
  void driverThatHangsWhenItHandsOverIsLeftBehind() throws HalException {
    old.holdsBack = 2;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      f.send();
      await(() -> f.slot.status().inFlight() == 2);
      EchoDriver.Echo channel = old.channel();
      old.hangsIn = "handOver";
      long begin = System.nanoTime();
      f.registry.remove(old.service(1, 0, "1.0.0"));
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
      f.awaitState(SlotState.PARKED);
      f.registry.add(fresh.service(2, 0, "1.0.0"));
      f.exchange(1);
      assertThat(f.returned).isEqualTo(numbers(3));
      assertThat(f.errors)
          .containsExactly("echo.bundle 1.0.0: it hung in handOver, where its thread was left");
      assertThat(old.calls).contains("interrupted");

      old.hang.countDown();
      f.exchange(1);
      assertThatThrownBy(() -> channel.context.queue(0).poll())
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void oldDriverServesAgainWhenTheNewOneHangsInOpen() throws HalException {
    fresh.hangsIn = "open";
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(f.errors)
          .containsExactly("echo.bundle 2.0.0: it hung in open, where its thread was left");
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
    }
    fresh.hang.countDown();
  }

  @Test
  void resetByTheGuestDoesNotWaitForeverForDriverThatHangs() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.hangsIn = "notify";
      f.send();
      await(() -> old.calls.contains("notify 0"));
      f.guest.reset();
      assertThat(f.guest.status()).isZero();
      f.registry.add(fresh.service(2, 0, "1.0.0"));
      f.boot();
      f.send();
      await(() -> f.slot.status().completed() == 1);
      assertThat(f.slot.close()).as("somebody still uses guest memory").isFalse();
      old.hang.countDown();
      await(f.slot::close);
    }
  }
}
