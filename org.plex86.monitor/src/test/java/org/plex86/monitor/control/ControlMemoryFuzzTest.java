// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.control.ControlLayout.*;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;
import org.plex86.monitor.fuzz.FuzzCorpus;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Mapping;

/** Whatever the guest writes into the control memory, what the monitor makes of it is bounded. */
class ControlMemoryFuzzTest {
  /** What was never written to is zero, so each input is worth the same whatever came before. */
  private static final byte[] ZEROS = new byte[CONTROL_SIZE];

  private static ControlMemory control;
  private static ByteBuffer guestSide;

  @BeforeAll
  static void map() throws IOException {
    try (Fd fd = Fd.sealedMemory("control", CONTROL_SIZE)) {
      control = new ControlMemory(fd);
      guestSide = new Mapping(fd, CONTROL_SIZE).window(0).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  static Stream<byte[]> seeds() {
    return Stream.concat(
        Stream.of(
            piece(CONTROL_BLOCK + Control.EXIT + ExitRecord.STATE, EXIT_REQUEST),
            piece(CONTROL_BLOCK + Control.END + EndRecord.LENGTH, 20),
            piece(CONTROL_BLOCK + Control.LOG_HEAD, 12),
            piece(CONTROL_CPUID_HOST + CpuidTable.COUNT, 3)),
        FuzzCorpus.of(ControlMemoryFuzzTest.class));
  }

  private static byte[] piece(int place, int value) {
    return ByteBuffer.allocate(9)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(place)
        .put((byte) 4)
        .putInt(value)
        .array();
  }

  /**
   * Writes pieces.
   *
   * @param input for each piece four bytes of place, one of length, and the bytes
   */
  private static void write(ByteBuffer input) {
    guestSide.put(0, ZEROS);
    while (input.remaining() > 5) {
      int place = Integer.remainderUnsigned(input.getInt(), CONTROL_SIZE);
      int length = Math.min(input.get() & 0xff, input.remaining());
      for (int i = 0; i < length && place + i < CONTROL_SIZE; i++) {
        guestSide.put(place + i, input.get());
      }
    }
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "6s")
  void isReadWithinBounds(byte[] input) {
    write(ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN));
    assertThat(control.hostCpuid()).hasSizeLessThanOrEqualTo(CPUID_ENTRIES_MAX);
    assertThat(control.endText()).matches("[ -~]{0,504}");
    assertThat(control.log(control.logHead() - 7, control.logHead())).hasSize(7);
    assertThat(control.log(0, control.logHead())).hasSizeLessThanOrEqualTo(CONTROL_LOG_SIZE);
    assertThat(control.counters().get("boot_us")).isBetween(0L, 86_400_000_000L);
    Exit exit = control.exit();
    if (exit != null) {
      control.answer(exit.value(), true);
      assertThat(control.exit()).isNull();
    }
    for (int device = 0; device < PLEX86_MMIO_DEVICES; device++) {
      control.awaitDoorbell(device, 0);
      assertThat(control.awaitDoorbell(device, 0)).isZero();
    }
    control.setPending(3);
    assertThat(control.setPending(3)).isFalse();
    int bell = control.bell();
    control.ringBell();
    control.awaitBell(bell); // was rung since: must not sleep
    control.wakeIdle();
    control.endReason();
    control.active();
  }
}
