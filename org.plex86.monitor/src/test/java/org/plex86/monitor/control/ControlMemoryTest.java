// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.monitor.control.ControlLayout.*;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Mapping;

class ControlMemoryTest {
  private ControlMemory control;
  private ByteBuffer guestSide;

  @BeforeEach
  void map() throws IOException {
    try (Fd fd = Fd.sealedMemory("control", CONTROL_SIZE)) {
      control = new ControlMemory(fd);
      guestSide = new Mapping(fd, CONTROL_SIZE).window(0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, CONTROL_LOG_SIZE - 1, CONTROL_LOG_SIZE, CONTROL_LOG_SIZE + 1, -5, -1})
  void logNeverGivesMoreThanTheRingHolds(int head) {
    assertThat(control.log(3, head)).hasSizeLessThanOrEqualTo(CONTROL_LOG_SIZE);
  }

  @Test
  void logThatWrapsIsGivenInOrder() {
    byte[] text = "wrapped around".getBytes(StandardCharsets.US_ASCII);
    int start = CONTROL_LOG_SIZE - 4;
    for (int i = 0; i < text.length; i++) {
      guestSide.put(CONTROL_LOG + (start + i) % CONTROL_LOG_SIZE, text[i]);
    }
    assertThat(control.log(start, start + text.length)).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, Integer.MAX_VALUE, Integer.MIN_VALUE, 505})
  void endTextIsBoundedAndPrintableWhateverItsLength(int length) {
    byte[] noise = new byte[4096 - Control.END - EndRecord.TEXT];
    new Random(1).nextBytes(noise);
    guestSide.put(CONTROL_BLOCK + Control.END + EndRecord.TEXT, noise);
    guestSide.putInt(CONTROL_BLOCK + Control.END + EndRecord.LENGTH, length);
    assertThat(control.endText()).matches("[ -~]{0,504}");
  }

  @ParameterizedTest
  @CsvSource({
    "1000, 3500, 1000, 2500", // 2.5 ms
    "-9223372036854775808, 1, 1, 0", // the difference overflows
    "0, 9223372036854775807, 1, 0", // longer than a day
    "0, 371085174288000000, -1, 86400000000", // a day, times 1000 is more than 63 bits
    "1, 1, 1000, 0",
    "2, 1, 1000, 0",
    "1, 2, 0, 0"
  })
  void timeOfTheBootIsSaneWhateverTheGuestWrites(long start, long user, int khz, long expected) {
    guestSide.putLong(CONTROL_BLOCK + Control.START_TSC, start);
    guestSide.putLong(CONTROL_BLOCK + Control.FIRST_USER_TSC, user);
    guestSide.putInt(CONTROL_BLOCK + Control.TSC_KHZ, khz);
    assertThat(control.counters()).containsEntry("boot_us", expected);
  }

  @Test
  void cpuidTableOfAbsurdLengthIsCut() {
    guestSide.putInt(CONTROL_CPUID_HOST, Integer.MAX_VALUE);
    assertThat(control.hostCpuid()).hasSize(CPUID_ENTRIES_MAX);
    guestSide.putInt(CONTROL_CPUID_HOST, -1);
    assertThat(control.hostCpuid()).isEmpty();
  }

  @Test
  void cpuidTableThatDoesNotFitIsRefused() {
    List<CpuidEntry> many =
        Collections.nCopies(CPUID_ENTRIES_MAX + 1, new CpuidEntry(0, 0, 0, 0, 0, 0));
    assertThatThrownBy(() -> control.guestCpuid(many)).hasMessageContaining("171 CPUID entries");
  }

  @Test
  void guestTableIsWhatWasWritten() {
    CpuidEntry entry = new CpuidEntry(7, 1, 2, 3, 4, 5);
    control.guestCpuid(List.of(entry));
    for (int i = 0; i < 0x1000; i++) {
      guestSide.put(CONTROL_CPUID_HOST + i, guestSide.get(CONTROL_CPUID_GUEST + i));
    }
    assertThat(control.hostCpuid()).containsExactly(entry);
  }

  @Test
  void lineIsReportedAsNewOnceUntilItWasTaken() {
    assertThat(control.setPending(31)).isTrue();
    assertThat(control.setPending(31)).isFalse();
    guestSide.putInt(PLEX86_IRQ_PENDING, 0);
    assertThat(control.setPending(31)).isTrue();
  }

  @Test
  void doorbellThatWasRungBeforeTheWaitIsNotMissed() {
    control.ringDoorbell(2, 5);
    assertThat(control.awaitDoorbell(2, -1)).isEqualTo(5);
    assertThat(control.awaitDoorbell(2, 0)).isZero();
  }

  @Test
  void doorbellWakesTheThreadThatWaits() throws Exception {
    CompletableFuture<Integer> bits =
        CompletableFuture.supplyAsync(() -> control.awaitDoorbell(29, -1));
    while (guestSide.getInt(
            CONTROL_BLOCK + Control.DOORBELL + 29 * Sizeof.DOORBELL + Doorbell.WAITING)
        == 0) {
      Thread.onSpinWait();
    }
    control.ringDoorbell(29, 1);
    assertThat(bits.get(5, TimeUnit.SECONDS)).isEqualTo(1);
  }

  @Test
  void guestThatSaysThatNobodyWaitsDoesNotHoldUpAWake() throws Exception {
    int waiting = CONTROL_BLOCK + Control.DOORBELL + 3 * Sizeof.DOORBELL + Doorbell.WAITING;
    CompletableFuture<Integer> bits =
        CompletableFuture.supplyAsync(() -> control.awaitDoorbell(3, 30_000_000_000L));
    while (guestSide.getInt(waiting) == 0) {
      Thread.onSpinWait();
    }
    Thread.sleep(50); // it sleeps
    guestSide.putInt(waiting, 0);
    control.ringDoorbell(3, 1);
    assertThat(bits.get(5, TimeUnit.SECONDS)).isEqualTo(1);
  }

  @Test
  void waitForADoorbellEndsInTime() {
    long start = System.nanoTime();
    assertThat(control.awaitDoorbell(0, 20_000_000)).isZero();
    assertThat(System.nanoTime() - start).isBetween(20_000_000L, 5_000_000_000L);
  }

  @Test
  void bellThatRangSinceItWasReadIsNotWaitedFor() {
    int seen = control.bell();
    control.ringBell();
    control.awaitBell(seen);
    assertThat(control.bell()).isEqualTo(seen + 1);
  }

  @Test
  void deviceThatDoesNotExistHasNoRegisters() {
    assertThat(control.registers(29).capacity()).isEqualTo(4096);
    assertThatThrownBy(() -> control.registers(30)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> control.registers(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void bootTimeOfAGuestThatLiesIsZeroRatherThanAnError() {
    guestSide.putLong(CONTROL_BLOCK + Control.FIRST_USER_TSC, Long.MAX_VALUE);
    guestSide.putInt(CONTROL_BLOCK + Control.TSC_KHZ, 1);
    assertThat(control.counters()).containsEntry("boot_us", 0L);
    guestSide.putLong(CONTROL_BLOCK + Control.FIRST_USER_TSC, 2_600_000);
    guestSide.putInt(CONTROL_BLOCK + Control.TSC_KHZ, 2_600_000);
    assertThat(control.counters()).containsEntry("boot_us", 1000L);
  }
}
