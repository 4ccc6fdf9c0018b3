// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.hal.SlotFixture.await;

import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.HalException;

/** Services between guest and driver. */
@Timeout(60)
class InterposerTest {
  private final EchoDriver driver = new EchoDriver();
  private final TestInterposer over = new TestInterposer();
  private final TestInterposer higher = new TestInterposer();

  private static List<Long> numbers(long count) {
    return LongStream.rangeClosed(1, count).boxed().toList();
  }

  private static void awaitDriver(SlotFixture f, String label) {
    await(() -> f.slot.status().driver().equals(label));
  }

  @Test
  void comesAndGoesWhileTheGuestRunsAndSeesEveryPacketInBetween() throws HalException {
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.exchange(10);
      f.registry.add(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      f.exchange(20);
      f.registry.remove(over.service(7, 0));
      assertThat(over.calls).as("ended before its bundle stops").endsWith("handOver");
      awaitDriver(f, "echo.bundle 1.0.0");
      f.exchange(5);
      assertThat(f.returned).isEqualTo(numbers(35));
      assertThat(over.polled).hasValue(20);
      assertThat(over.completed).hasValue(20);
      assertThat(f.errors).isEmpty();
    }
  }

  @Test
  void areStackedByRankingAndTheHighestIsNextToTheGuest() throws HalException {
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 1));
      f.registry.add(higher.service(8, 2));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.8.0, over.bundle 0.7.0");
      f.exchange(3);
      assertThat(over.polled).hasValue(3);
      assertThat(higher.polled).hasValue(3);
    }
  }

  @Test
  void areForTheChannelsAndMachinesThatTheyNameOnly() throws HalException {
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0, Set.of("another"), Set.of()));
      f.registry.add(over.service(8, 0, Set.of(), Set.of("echo1")));
      f.exchange(1);
      assertThat(over.calls).isEmpty();
      f.registry.add(higher.service(9, 0, Set.of("vm", "other"), Set.of("echo0")));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.9.0");
    }
  }

  @Test
  void packetsInFlightPassThroughTheStackToTheNextOne() throws HalException {
    driver.holdsBack = 5;
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      for (int i = 0; i < 5; i++) {
        f.send();
      }
      await(() -> f.slot.status().inFlight() == 5);
      driver.holdsBack = 0;
      f.registry.remove(over.service(7, 0));
      await(() -> f.slot.status().completed() == 5);
      f.collect();
      assertThat(f.returned).isEqualTo(numbers(5));
    }
  }

  @Test
  void whatTheDriverHandsOverPassesThroughTheStack() throws HalException {
    InputStream file = InputStream.nullInputStream();
    driver.handsOver = Map.of("taken/1", file);
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      assertThat(driver.found).containsEntry("taken/1", file);
      driver.found = Map.of();
      f.registry.remove(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0");
      assertThat(driver.found).containsEntry("taken/1", file);
      assertThat(driver.calls).doesNotContain("close");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"open", "opened", "notify", "poll"})
  void crashTakesTheInterposerOutAndTheChannelGoesOn(String method) throws HalException {
    over.throwsIn = method;
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      f.exchange(5);
      await(() -> !f.errors.isEmpty());
      awaitDriver(f, "echo.bundle 1.0.0");
      f.exchange(5);
      assertThat(f.returned).isEqualTo(numbers(10));
      assertThat(f.errors).hasSize(1).first().asString().startsWith("over.bundle 0.7.0 crashed in");
    }
  }

  @Test
  void crashOfTheDriverIsNotTheInterposers() throws HalException {
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      f.exchange(1);
      driver.throwsIn = "notify 0";
      f.exchange(5);
      assertThat(f.errors).containsExactly("echo.bundle 1.0.0 crashed in notify");
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0 behind over.bundle 0.7.0");
    }
  }

  @Test
  void crashInTaskOfTheDriverIsNotTheInterposers() throws HalException {
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      driver
          .channel()
          .context
          .execute(
              () -> {
                throw new StackOverflowError();
              });
      await(() -> f.slot.status().crashes() == 1);
      f.exchange(5);
      assertThat(f.errors).containsExactly("echo.bundle 1.0.0 crashed in a task");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"open", "notify", "poll"})
  void hangTakesTheInterposerOut(String method) throws HalException {
    over.hangsIn = method;
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      f.send();
      await(() -> over.calls.contains(method));
      // somebody wants something of the slot
      f.registry.add(new EchoDriver().service(99, -9, "0.1.0"));
      await(() -> f.slot.status().completed() == 1);
      f.collect();
      f.exchange(5);
      assertThat(f.returned).isEqualTo(numbers(6));
      assertThat(f.errors)
          .hasSize(1)
          .first()
          .asString()
          .startsWith("over.bundle 0.7.0: it hung in");
    }
    over.hang.countDown();
  }

  @Test
  void refusalTakesTheInterposerOutAndWhatItOpenedIsEnded() throws HalException {
    over.refusal = "no folder: make one";
    InputStream file = InputStream.nullInputStream();
    driver.handsOver = Map.of("taken/1", file);
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      await(() -> !f.lines.isEmpty());
      f.exchange(5);
      awaitDriver(f, "echo.bundle 1.0.0");
      assertThat(driver.found).containsEntry("taken/1", file);
      assertThat(f.lines).containsExactly("over.bundle 0.7.0 is refused: no folder: make one");
      assertThat(driver.calls).containsSubsequence("handOver", "open", "handOver", "open");
    }
  }

  @Test
  void interposerThatHidesWhatTheGuestKnowsIsTakenOut() throws HalException {
    over.hides = 0x20;
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      await(() -> !f.lines.isEmpty());
      f.exchange(5);
      awaitDriver(f, "echo.bundle 1.0.0");
      assertThat(f.lines)
          .containsExactly(
              "over.bundle 0.7.0 is refused: it lacks the features 0x20, which the guest knows");
    }
  }

  @Test
  void interposerThatOpensNothingIsTakenOut() throws HalException {
    over.returnsNull = true;
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      await(() -> !f.errors.isEmpty());
      f.exchange(5);
      awaitDriver(f, "echo.bundle 1.0.0");
      assertThat(f.errors).containsExactly("over.bundle 0.7.0 crashed in open");
    }
  }

  @Test
  void driverThatRefusesBehindAnInterposerIsTheOneThatIsRefused() throws HalException {
    EchoDriver fresh = new EchoDriver();
    fresh.refusal = "not today";
    try (SlotFixture f = SlotFixture.running(driver)) {
      f.registry.add(over.service(7, 0));
      f.registry.add(fresh.service(2, 9, "2.0.0"));
      f.exchange(5);
      await(() -> f.lines.size() == 1);
      awaitDriver(f, "echo.bundle 1.0.0 behind over.bundle 0.7.0");
      assertThat(f.lines).containsExactly("echo.bundle 2.0.0 is refused: not today");
    }
  }
}
