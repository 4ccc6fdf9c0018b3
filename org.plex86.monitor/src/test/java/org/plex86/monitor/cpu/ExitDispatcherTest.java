// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.control.ControlLayout.*;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.control.Exit;

class ExitDispatcherTest {
  private final List<String> writes = new ArrayList<>();
  private final List<String> log = new ArrayList<>();
  private final ExitDispatcher dispatcher =
      new ExitDispatcher(
          List.of(
              (offset, size, value) -> writes.add("0:" + offset + ":" + size + ":" + value),
              (offset, size, value) -> writes.add("1:" + offset + ":" + size + ":" + value)),
          log::add);

  @Test
  void registerWriteGoesToItsDevice() {
    assertThat(dispatcher.answer(new Exit(EXIT_MMIO_WRITE, 1, 0x70, 4, 15)).fault()).isFalse();
    assertThat(writes).containsExactly("1:112:4:15");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, -1, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void writeToADeviceThatDoesNotExistGoesNowhere(int device) {
    assertThat(dispatcher.answer(new Exit(EXIT_MMIO_WRITE, device, 0, 4, 0)).fault()).isFalse();
    assertThat(writes).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"1, 0xff", "2, 0xffff", "4, 0xffffffff", "99, 0xffffffff"})
  void portWithoutADeviceReadsAllOnes(int size, String value) {
    assertThat(dispatcher.answer(new Exit(EXIT_PIO_IN, 0, 0x87, size, 0)).value())
        .isEqualTo(Long.decode(value));
  }

  @Test
  void unknownMsrFaultsAndAKnownOneReadsZero() {
    assertThat(dispatcher.answer(new Exit(EXIT_RDMSR, 0, 0x1234, 8, 7)).fault()).isTrue();
    assertThat(dispatcher.answer(new Exit(EXIT_WRMSR, 0, 0x1234, 8, 7)).fault()).isTrue();
    assertThat(dispatcher.answer(new Exit(EXIT_RDMSR, 0, 0x1a0, 8, 7)))
        .isEqualTo(new ExitDispatcher.Answer(0, false));
  }

  @Test
  void unknownKindFaults() {
    assertThat(dispatcher.answer(new Exit(77, 0, 0, 0, 0)).fault()).isTrue();
  }

  @Test
  void guestCannotFillTheLog() {
    for (int i = 0; i < 100_000; i++) {
      dispatcher.answer(new Exit(EXIT_PIO_OUT, 0, i, 1, 0));
    }
    assertThat(log).hasSizeLessThan(100).doesNotHaveDuplicates();
  }
}
