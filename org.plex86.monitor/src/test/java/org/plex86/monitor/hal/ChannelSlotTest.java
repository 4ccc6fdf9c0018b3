// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.monitor.hal.SlotFixture.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.Packet;
import org.plex86.monitor.virtio.DeviceProfile;

@Timeout(60)
class ChannelSlotTest {
  private static final Duration SOON = Duration.ofSeconds(5);

  private final EchoDriver old = new EchoDriver();
  private final EchoDriver fresh = new EchoDriver();

  private static List<Long> numbers(long count) {
    return LongStream.rangeClosed(1, count).boxed().toList();
  }

  @Test
  void servesTheGuestByTheBestDriver() throws HalException {
    try (SlotFixture f = new SlotFixture()) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      f.registry.add(fresh.service(2, 5, "1.0.0"));
      f.slot.open(SOON);
      assertThat(f.guest.deviceId()).isEqualTo(4);
      f.boot();
      f.exchange(1000);
      assertThat(f.returned).isEqualTo(numbers(1000));
      assertThat(old.calls).isEmpty();
      assertThat(fresh.calls).startsWith("open", "start 0x30");
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      assertThat(f.slot.status().completed()).isEqualTo(1000);
    }
  }

  @Test
  void waitsForDriverThatComesLate() throws HalException {
    try (SlotFixture f = new SlotFixture()) {
      CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS)
          .execute(() -> f.registry.add(old.service(1, 0, "1.0.0")));
      f.slot.open(SOON);
      assertThat(f.slot.status().state()).isEqualTo(SlotState.BOUND);
    }
  }

  @Test
  void saysWhatToDoWhenThereIsNoDriver() throws HalException {
    try (SlotFixture f = new SlotFixture()) {
      assertThatThrownBy(() -> f.slot.open(Duration.ofMillis(50)))
          .isInstanceOf(HalException.class)
          .hasMessage(
              "no driver of type 'echo' for channel echo0: install and start a bundle that"
                  + " provides it");
    }
  }

  @Test
  void passesOnWhyTheDriverRefusesToOpen() throws HalException {
    old.refusal = "file x is not there: create it";
    try (SlotFixture f = new SlotFixture()) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      assertThatThrownBy(() -> f.slot.open(SOON)).hasMessage("file x is not there: create it");
      assertThat(f.slot.status().state()).isEqualTo(SlotState.ENDED);
    }
  }

  @Test
  void saysWhichDriverDoesNotReturnFromOpen() throws HalException {
    old.hangsIn = "open";
    try (SlotFixture f = new SlotFixture()) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      assertThatThrownBy(() -> f.slot.open(Duration.ofMillis(100)))
          .hasMessage("the driver of channel echo0 does not return from open");
    }
    old.hang.countDown();
  }

  @Test
  void refusesDriverThatOffersWhatNoDeviceCanBe() throws HalException {
    old.profile = new DeviceProfile(4, 0, List.of(3), new byte[0]);
    try (SlotFixture f = new SlotFixture()) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      assertThatThrownBy(() -> f.slot.open(SOON)).hasMessageContaining("queue size 3");
      assertThat(old.calls).containsExactly("open", "handOver");
    }
  }

  @Test
  void handsPacketsInFlightToTheNextDriverInOrder() throws HalException {
    old.holdsBack = 10;
    try (SlotFixture f = SlotFixture.running(old)) {
      for (int i = 0; i < 12; i++) {
        f.send();
      }
      await(() -> f.slot.status().inFlight() == 10 && f.slot.status().completed() == 2);
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      await(() -> f.slot.status().completed() == 12);
      f.collect();
      assertThat(f.returned).isEqualTo(numbers(12));
      assertThat(fresh.channel().seen).isEqualTo(LongStream.rangeClosed(3, 12).boxed().toList());
      assertThat(old.calls).endsWith("handOver");
      assertThat(f.slot.status().bindings()).isEqualTo(2);
      assertThat(f.slot.history())
          .filteredOn(event -> event.stall().toNanos() > 0)
          .singleElement()
          .extracting(SlotEvent::what)
          .isEqualTo("bound to echo.bundle 1.0.0");
    }
  }

  @Test
  void letsTheOldDriverFinishWhatItHasWithinTheQuiescence() throws HalException {
    old.holdsBack = 4;
    try (SlotFixture f = SlotFixture.running(old)) {
      for (int i = 0; i < 4; i++) {
        f.send();
      }
      await(() -> f.slot.status().inFlight() == 4);
      EchoDriver.Echo channel = old.channel();
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      channel.context.execute(
          () -> {
            assertThat(channel.context.queue(0).poll()).as("nothing new").isNull();
            while (!channel.held.isEmpty()) {
              channel.finishOne(channel.context.queue(0));
            }
          });
      await(() -> f.slot.status().bindings() == 2);
      f.exchange(1);
      assertThat(f.returned).isEqualTo(numbers(5));
      assertThat(fresh.channel().seen).containsExactly(5L);
      assertThat(f.errors).isEmpty();
    }
  }

  @Test
  void oldDriverIsDeadAfterItsClose() throws HalException {
    old.holdsBack = 1;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      await(() -> f.slot.status().inFlight() == 1);
      EchoDriver.Echo channel = old.channel();
      Packet packet = channel.held.getFirst();
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      f.exchange(1);
      assertThatThrownBy(() -> channel.context.queue(0).complete(packet, 8))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("bring the work in by execute()");
      channel.context.execute(() -> old.calls.add("a task of a dead driver"));
      channel.context.reportResult(3);
      f.exchange(1);
      assertThat(old.calls).doesNotContain("a task of a dead driver");
      assertThat(f.results).isEmpty();
      assertThat(packet.write(0, new byte[8], 0, 8)).isZero();

      // on the slot's thread it is refused, too
      CompletableFuture<String> message = new CompletableFuture<>();
      fresh
          .channel()
          .context
          .execute(
              () -> {
                try {
                  channel.context.queue(0).poll();
                } catch (IllegalStateException e) {
                  message.complete(e.getMessage());
                }
              });
      assertThat(message).succeedsWithin(SOON).asString().contains("was closed");
    }
  }

  @Test
  void oldDriverStaysWhenTheNewOneDoesNotCoverWhatTheGuestUses() throws HalException {
    fresh.profile = new DeviceProfile(4, 0x10, List.of(64, 8), new byte[] {1, 2, 3, 4});
    try (SlotFixture f = SlotFixture.running(old)) {
      f.exchange(10);
      f.registry.add(fresh.service(2, 1, "2.0.0"));
      await(() -> f.slot.status().bindings() == 2);
      f.exchange(10);
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      assertThat(f.lines)
          .containsExactly(
              "echo.bundle 2.0.0 is refused: it lacks the features 0x20, which the guest knows");
      assertThat(fresh.calls).containsExactly("open", "handOver");

      f.guest.reset(); // what it did not cover is forgotten
      await(() -> f.slot.status().driver().equals("echo.bundle 2.0.0"));
      f.boot();
      f.send();
      await(() -> f.slot.status().completed() == 1);
    }
  }

  @Test
  void newVersionBesideTheOldTakesOverAndTheOldGoesWithoutNotice() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.exchange(10);
      f.registry.add(fresh.service(2, 0, "1.0.1"));
      await(() -> f.slot.status().driver().equals("echo.bundle 1.0.1"));
      f.registry.remove(old.service(1, 0, "1.0.0"));
      f.exchange(10);
      assertThat(f.slot.status().bindings()).isEqualTo(2);
      assertThat(f.lines).isEmpty();
    }
  }

  @Test
  void parksWithoutDriverAndGoesOnWithTheNext() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.exchange(10);
      f.registry.remove(old.service(1, 0, "1.0.0"));
      assertThat(old.calls)
          .as("closed before the registry lets its bundle stop")
          .endsWith("handOver");
      f.awaitState(SlotState.PARKED);
      for (int i = 0; i < 5; i++) {
        f.send();
      }
      SemaphoreDoorbell.pause(50);
      f.collect();
      assertThat(f.returned).hasSize(10);
      assertThat(f.guest.status()).as("the guest sees nothing").isEqualTo(15);
      f.registry.add(fresh.service(2, 0, "1.0.0"));
      f.exchange(5);
      assertThat(f.returned).isEqualTo(numbers(20 - 5 + 5));
      assertThat(f.lines).containsExactly("is parked: there is no driver of type 'echo'");
    }
  }

  @Test
  void userParksAndUnparks() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.slot.park();
      f.awaitState(SlotState.PARKED);
      assertThat(f.slot.status().reason()).isEqualTo("by the user");
      f.registry.add(fresh.service(2, 9, "1.0.0"));
      f.send();
      SemaphoreDoorbell.pause(50);
      assertThat(f.slot.status().state()).isEqualTo(SlotState.PARKED);
      f.slot.unpark();
      f.exchange(1);
      assertThat(fresh.channel().seen).containsExactly(1L, 2L);
    }
  }

  @Test
  void userSwapsToDriverOfLowerRanking() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(other(3, -5, "2.0.0"));
      f.slot.swap("other.bundle");
      assertThat(f.slot.status().driver()).isEqualTo("other.bundle 2.0.0");
      f.exchange(5);
      assertThat(fresh.channel().seen).hasSize(5);
      f.slot.swap("other.bundle:2.0.0");
      assertThat(f.slot.status().bindings()).as("it has that already").isEqualTo(2);
      f.registry.remove(other(3, -5, "2.0.0"));
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
    }
  }

  @Test
  void swapThatIsRefusedSaysWhyAndTheOldDriverServes() throws HalException {
    fresh.profile = new DeviceProfile(4, 0x10, List.of(64, 8), new byte[] {1, 2, 3, 4});
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(other(3, -5, "2.0.0"));
      assertThatThrownBy(() -> f.slot.swap("other.bundle"))
          .isInstanceOf(HalException.class)
          .hasMessage("it lacks the features 0x20, which the guest knows");
      f.exchange(5);
      assertThat(f.slot.status().driver()).isEqualTo("echo.bundle 1.0.0");
      f.registry.add(old.service(4, -9, "0.9.0"));
      f.exchange(5);
      assertThat(f.slot.status().bindings()).as("the wish is forgotten").isEqualTo(2);
    }
  }

  @Test
  void swapToBundleWithoutDriverNamesThoseThatHaveOne() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.registry.add(other(3, -5, "2.0.0"));
      assertThatThrownBy(() -> f.slot.swap("other.bundle:3.0.0"))
          .hasMessage(
              "bundle 'other.bundle:3.0.0' offers no driver for it; those that do:"
                  + " echo.bundle:1.0.0, other.bundle:2.0.0");
      f.slot.park();
      assertThatThrownBy(() -> f.slot.swap("other.bundle"))
          .hasMessage("the channel is parked: hal:unpark it first");
    }
  }

  private DriverService other(long id, int ranking, String version) {
    return new DriverService(
        fresh,
        EchoDriver.TYPE,
        ranking,
        id,
        "other.bundle",
        new org.osgi.framework.Version(version),
        false);
  }

  @Test
  void closeServesTheLastPacketsAndClosesTheDriver() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      assertThat(f.slot.close()).isTrue();
      f.collect();
      assertThat(f.returned).isEqualTo(numbers(1));
      assertThat(old.calls).endsWith("close");
      assertThat(f.slot.status().state()).isEqualTo(SlotState.ENDED);
      f.registry.add(fresh.service(2, 9, "1.0.0"));
      f.slot.write(0x70, 4, 0);
      f.slot.earlyOutput(new byte[1]);
      assertThat(fresh.calls).isEmpty();
    }
  }

  @Test
  void driverMayServeInItsCloseWhatItLeftInTheQueueWhenTheMachineEnds() throws HalException {
    old.ignoresKicks = true;
    old.servesInClose = true;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      assertThat(f.slot.close()).isTrue();
      f.collect();
      assertThat(f.returned).isEqualTo(numbers(1));
    }
  }

  @Test
  void driverGetsNothingNewInItsCloseWhenAnotherFollows() throws HalException {
    old.ignoresKicks = true;
    old.servesInClose = true;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      f.exchange(1);
      assertThat(old.channel().seen).isEmpty();
      assertThat(fresh.channel().seen).containsExactly(1L, 2L);
    }
  }

  @Test
  void closeDoesNotWaitForeverForDriverThatHangs() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.hangsIn = "close";
      assertThat(f.slot.close()).isFalse();
      assertThat(f.slot.status().state()).isEqualTo(SlotState.ENDED);
    }
    old.hang.countDown();
  }

  @Test
  void resetVoidsPacketsOfTheDriver() throws HalException {
    old.holdsBack = 1;
    try (SlotFixture f = SlotFixture.running(old)) {
      f.send();
      await(() -> f.slot.status().inFlight() == 1);
      EchoDriver.Echo channel = old.channel();
      Packet packet = channel.held.getFirst();
      f.guest.reset();
      assertThat(old.calls).endsWith("reset");
      f.boot();
      CompletableFuture<Integer> written = new CompletableFuture<>();
      channel.context.execute(
          () -> {
            written.complete(packet.write(0, new byte[8], 0, 8));
            channel.context.queue(0).complete(packet, 0);
          });
      assertThat(written).succeedsWithin(SOON).isEqualTo(0);
      old.holdsBack = 0;
      f.send();
      await(() -> f.slot.status().completed() == 1);
      assertThat(f.errors).isEmpty();
    }
  }

  @Test
  void hostileGuestBreaksItsDeviceOnlyAndTheLogStaysShort() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      for (int i = 0; i < 100; i++) {
        f.guest.reset();
        f.guest.probe(64, 8).get(0).makeAvailable(4711);
        f.doorbell.ring(-1);
        await(() -> f.guest.status() == (15 | 64));
      }
      assertThat(f.lines).hasSize(10).allMatch(line -> line.contains("descriptor 4711"));
      f.guest.reset();
      f.boot();
      f.send();
      await(() -> f.slot.status().completed() == 1);
      assertThat(f.slot.status().bindings()).isEqualTo(1);
    }
  }

  @Test
  void answersErrorsWhereThePolicySaysSo() throws HalException {
    old.profile = new DeviceProfile(2, 0, List.of(64, 8), new byte[8]);
    try (SlotFixture f = new SlotFixture("type=echo,name=disk0,park=errors")) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      f.slot.open(SOON);
      f.boot();
      f.registry.remove(old.service(1, 0, "1.0.0"));
      f.awaitState(SlotState.FAILING);
      f.send();
      await(() -> f.slot.status().completed() == 1);
      // VIRTIO_BLK_S_IOERR is the last writable byte
      assertThat(f.lastByte()).isEqualTo((byte) 1);
      fresh.profile = old.profile;
      f.registry.add(fresh.service(2, 0, "1.0.0"));
      f.awaitState(SlotState.BOUND);
      f.send();
      await(() -> f.slot.status().completed() == 2);
      assertThat(fresh.channel().seen).containsExactly(2L);
    }
  }

  @Test
  void waitsTheTimeOfThePolicyBeforeItAnswersErrors() throws HalException {
    old.profile = new DeviceProfile(2, 0, List.of(64, 8), new byte[8]);
    try (SlotFixture f = new SlotFixture("type=echo,name=disk0,park=1")) {
      f.registry.add(old.service(1, 0, "1.0.0"));
      f.slot.open(SOON);
      f.boot();
      f.slot.park();
      f.awaitState(SlotState.PARKED);
      f.send();
      f.awaitState(SlotState.FAILING);
      await(() -> f.slot.status().completed() == 1);
      List<SlotEvent> history = f.slot.history();
      assertThat(
              Duration.between(
                  at(history, "PARKED: by the user"), at(history, "bound to errors 0.0.0")))
          .isGreaterThanOrEqualTo(Duration.ofMillis(990));
      f.slot.unpark();
      f.awaitState(SlotState.BOUND);
      f.send();
      await(() -> f.slot.status().completed() == 2);
      assertThat(old.channel().seen).containsExactly(2L);
    }
  }

  private static java.time.Instant at(List<SlotEvent> history, String what) {
    return history.stream()
        .filter(event -> event.what().equals(what))
        .findFirst()
        .orElseThrow()
        .at();
  }

  @Test
  void spareSlotIsSeenByTheGuestAndServedLater() throws HalException {
    try (SlotFixture f = new SlotFixture()) {
      f.slot.openSpare(EchoDriver.PROFILE);
      assertThat(f.guest.deviceId()).isEqualTo(4);
      f.boot();
      f.send();
      assertThat(f.slot.status().state()).isEqualTo(SlotState.UNBOUND);
      f.registry.add(old.service(1, 0, "1.0.0"));
      f.exchange(1);
      assertThat(f.returned).isEqualTo(numbers(2));
    }
  }

  @Test
  void configChangeOfTheDriverReachesTheGuest() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.channel()
          .context
          .execute(() -> old.channel().context.updateConfigSpace(new byte[] {9, 2, 3, 4}));
      await(() -> f.guest.configByte(0) == 9);
      await(() -> (f.guest.interruptStatus() & 2) != 0);
      f.guest.acknowledgeInterrupt();
      // the guest knows by now that this byte changes, so the next driver may differ in it
      f.registry.add(fresh.service(2, 1, "1.0.0"));
      await(() -> f.slot.status().bindings() == 2);
      await(() -> f.guest.configByte(0) == 1 && f.guest.interruptStatus() == 2);
      await(() -> fresh.calls.contains("start 0x30")); // after the guest was told
    }
  }

  @Test
  void resultIsPassedOn() throws HalException {
    try (SlotFixture f = SlotFixture.running(old)) {
      old.channel().context.reportResult(7);
      assertThat(f.results).containsExactly(7);
      assertThatThrownBy(() -> old.channel().context.reportResult(256))
          .isInstanceOf(IllegalArgumentException.class);
      old.channel().context.reportError("disk full", null);
      old.channel().context.reportError("disk full", null);
      assertThat(f.errors).containsExactly("disk full");
    }
  }
}
