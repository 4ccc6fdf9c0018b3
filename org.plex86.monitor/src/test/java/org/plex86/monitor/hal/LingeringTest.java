// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.hal.SlotFixture.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;

/** Drivers that may serve on for a moment after they have gone. */
@Timeout(60)
class LingeringTest {
  /** A moment that does not end within a test. */
  private static final SlotTiming LONG =
      new SlotTiming(
          SlotFixture.TIMING.quiesce(), Duration.ofHours(1), SlotFixture.TIMING.patience());

  private final EchoDriver old = new EchoDriver();
  private final EchoDriver fresh = new EchoDriver();
  private final DriverService service = old.lingeringService(1, 0, "1.0.0");

  @Test
  void servesOnUntilTheNextComes() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.remove(service);
      f.exchange(5);
      assertThat(f.slot.status().state()).isEqualTo(SlotState.BOUND);
      assertThat(old.calls).doesNotContain("handOver", "close");
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      await(() -> f.slot.status().driver().equals("echo.bundle 2.0.0"));
      f.exchange(5);
      assertThat(old.calls).endsWith("handOver");
      assertThat(fresh.channel().seen).hasSize(5);
      assertThat(f.slot.history())
          .noneMatch(event -> event.what().startsWith(SlotState.PARKED.toString()));
    }
  }

  @Test
  void parksWhenTheMomentIsOver() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, SlotFixture.TIMING)) {
      f.registry.remove(service);
      f.awaitState(SlotState.PARKED);
      assertThat(old.calls).endsWith("handOver");
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.exchange(5);
    }
  }

  @Test
  void goesAtOnceWhereAnotherDriverIsThere() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.add(fresh.service(2, -1, "0.9.0"));
      f.registry.remove(service);
      assertThat(old.calls).endsWith("handOver"); // before remove has returned
      f.exchange(5);
      assertThat(fresh.channel().seen).hasSize(5);
    }
  }

  @Test
  void goesWhenTheUserTakesTheDriverAway() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.remove(service);
      f.exchange(1);
      f.slot.park();
      f.awaitState(SlotState.PARKED);
      f.slot.unpark();
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.exchange(5);
    }
  }

  @Test
  void crashesAsAnyOther() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.remove(service);
      f.exchange(1);
      old.throwsIn = "notify";
      f.send();
      f.awaitState(SlotState.PARKED);
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.exchange(5);
      assertThat(f.returned).hasSize(7);
    }
  }

  @Test
  void isClosedWithTheMachine() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.remove(service);
      f.exchange(1);
    }
    assertThat(old.calls).endsWith("close").doesNotContain("handOver");
  }

  @Test
  void anInterposerAboveItIsLeftBeforeItsBundleStops() throws HalException {
    TestInterposer over = new TestInterposer();
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.add(over.service(7, 0));
      await(() -> f.slot.status().driver().endsWith(" behind over.bundle 0.7.0"));
      f.registry.remove(service);
      old.holdsBack = 1; // quiescing takes its time
      f.send();
      await(() -> !old.channel().held.isEmpty());
      f.registry.remove(over.service(7, 0));
      assertThat(over.calls).contains("handOver"); // before remove has returned
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.exchange(5);
    }
  }

  @Test
  void comesAgainAndServesOn() throws HalException {
    try (SlotFixture f = SlotFixture.running(service, LONG)) {
      f.registry.remove(service);
      f.exchange(1);
      f.registry.add(service);
      f.exchange(5);
      f.registry.remove(service);
      f.exchange(5);
      assertThat(old.calls).doesNotContain("handOver");
    }
  }
}
