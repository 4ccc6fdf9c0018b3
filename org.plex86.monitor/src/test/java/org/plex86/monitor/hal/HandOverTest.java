// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.hal.SlotFixture.await;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.virtio.DeviceProfile;

/** What one channel of a slot leaves to the next. */
@Timeout(60)
class HandOverTest {
  private final EchoDriver old = new EchoDriver();
  private final EchoDriver fresh = new EchoDriver();
  private final InputStream taken = InputStream.nullInputStream();
  private final InputStream left = InputStream.nullInputStream();

  HandOverTest() {
    old.handsOver = Map.of("taken/1", taken, "left/1", left);
  }

  private static boolean isOpen(InputStream stream) {
    try {
      stream.read();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void nextDriverFindsWhatTheOldOneLeftAndTheRestIsClosed() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      assertThat(old.found).isEmpty();
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(fresh.found).containsOnly(Map.entry("taken/1", taken), Map.entry("left/1", left));
      await(() -> !isOpen(left));
      assertThat(isOpen(taken)).isTrue();
      await(
          () ->
              f.slot.history().stream()
                  .anyMatch(
                      event ->
                          event
                              .what()
                              .equals(
                                  "closed what was handed over, echo.bundle 2.0.0 did not take it:"
                                      + " left/1")));
      assertThat(old.calls).doesNotContain("close");
    }
    assertThat(isOpen(taken)).as("it is the driver's, which has closed nothing").isTrue();
  }

  @Test
  void whatWasHandedOverWaitsWhileTheSlotIsParked() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.remove(old.service(1, 0, "1.0.0"));
      f.awaitState(SlotState.PARKED);
      assertThat(isOpen(left)).isTrue();
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.exchange(1);
      assertThat(fresh.found).containsOnlyKeys("taken/1", "left/1");
    }
  }

  @Test
  void whatNobodyTookIsClosedWithTheMachine() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.remove(old.service(1, 0, "1.0.0"));
      f.awaitState(SlotState.PARKED);
    }
    assertThat(List.of(isOpen(taken), isOpen(left))).containsExactly(false, false);
  }

  @Test
  void crashedChannelHandsOverToo() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.throwsIn = "notify";
      f.exchange(1);
      assertThat(old.calls).containsSubsequence("notify 0", "handOver", "open", "notify 0");
      assertThat(old.found).containsOnlyKeys("taken/1", "left/1");
      assertThat(old.calls).doesNotContain("close");
    }
  }

  @Test
  void channelThatThrowsWhenItHandsOverIsClosed() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.throwsIn = "handOver";
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(old.calls).endsWith("handOver", "close");
      assertThat(fresh.found).isEmpty();
      assertThat(f.errors).containsExactly("echo.bundle 1.0.0 failed in handOver");
    }
  }

  @Test
  void nullIsReportedAndTheChangeGoesOn() throws HalException {
    old.handsOver = null;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().driver().equals("echo.bundle 2.0.0"));
      assertThat(f.errors)
          .containsExactly("echo.bundle 1.0.0 handed over null: an empty map is due");
    }
  }

  @Test
  void driverThatThrowsInOpenCostsNothing() throws HalException {
    fresh.refusal = "not today";
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(fresh.found).containsOnlyKeys("taken/1", "left/1");
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      assertThat(old.found).containsOnly(Map.entry("taken/1", taken), Map.entry("left/1", left));
    }
  }

  @Test
  void driverThatIsRefusedAfterItsOpenGivesBack() throws HalException {
    InputStream again = InputStream.nullInputStream();
    fresh.profile = new DeviceProfile(4, 0x10, List.of(64, 8), new byte[] {1, 2, 3, 4});
    fresh.handsOver = Map.of("taken/2", again);
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      assertThat(old.found).containsOnly(Map.entry("taken/2", again), Map.entry("left/1", left));
      assertThat(fresh.calls).containsExactly("open", "handOver");
    }
  }

  @Test
  void driverWhoseProfileCannotBeGivesBack() throws HalException {
    fresh.profile = new DeviceProfile(4, 0x30, List.of(3), new byte[0]);
    fresh.handsOver = Map.of("taken/1", taken);
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(old.found).containsOnly(Map.entry("taken/1", taken), Map.entry("left/1", left));
    }
  }

  @Test
  void candidateThatHangsWhenItGivesBackTakesWithItOnlyWhatItTook() throws HalException {
    fresh.profile = new DeviceProfile(4, 0x10, List.of(64, 8), new byte[] {1, 2, 3, 4});
    fresh.hangsIn = "handOver";
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.exchange(1);
      await(() -> f.slot.status().bindings() == 2);
      assertThat(old.found).containsOnlyKeys("left/1");
      assertThat(f.errors)
          .containsExactly("echo.bundle 2.0.0: it hung in handOver, where its thread was left");
    }
    fresh.hang.countDown();
  }

  @Test
  void driverOfErrorsLeavesItForTheNext() throws HalException {
    old.profile = new DeviceProfile(2, 0, List.of(64, 8), new byte[8]);
    fresh.profile = old.profile;
    try (SlotFixture f = new SlotFixture("type=echo,name=disk0,park=errors")) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      f.slot.open(java.time.Duration.ofSeconds(5));
      f.boot();
      f.registry.remove(old.service(1, 0, "1.0.0"));
      f.awaitState(SlotState.FAILING);
      f.guest.reset();
      f.boot();
      f.registry.add(fresh.service(2, 0, "2.0.0"));
      f.awaitState(SlotState.BOUND);
      f.exchange(1);
      assertThat(fresh.found).containsOnlyKeys("taken/1", "left/1");
      assertThat(fresh.calls).as("what is of the guest's side is void").startsWith("open", "reset");
    }
  }

  @Test
  void resetThatNobodyServedIsToldToTheNext() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.slot.park();
      f.awaitState(SlotState.PARKED);
      f.guest.reset();
      f.boot();
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      f.slot.unpark();
      f.send();
      await(() -> f.slot.status().completed() == 1);
      assertThat(fresh.calls).startsWith("open", "reset", "start 0x30");
      f.slot.park();
      f.awaitState(SlotState.PARKED);
      f.slot.unpark();
      f.send();
      await(() -> f.slot.status().completed() == 2);
      assertThat(fresh.calls).as("once").containsOnlyOnce("reset");
    }
  }

  @Test
  void resetInWhichTheDriverCrashedIsToldToTheNext() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.throwsIn = "reset";
      f.guest.reset();
      f.boot();
      await(() -> f.slot.status().bindings() == 2);
      f.send();
      await(() -> f.slot.status().completed() == 1);
      assertThat(old.calls)
          .containsSubsequence("reset", "handOver", "open", "reset", "start 0x30", "notify 0");
    }
  }

  @Test
  void whatIsInheritedIsThereInOpenOnly() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      CompletableFuture<String> message = new CompletableFuture<>();
      old.channel()
          .context
          .execute(
              () -> {
                try {
                  old.channel().context.inherited();
                } catch (IllegalStateException e) {
                  message.complete(e.getMessage());
                }
              });
      assertThat(message)
          .succeedsWithin(5, TimeUnit.SECONDS)
          .isEqualTo("channel echo0: what it inherits is there during open() only");
      assertThat(f.errors).isEmpty();
    }
  }
}
