// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ConsoleTailTest {
  private final ConsoleTail tail = new ConsoleTail();

  private void append(String text) {
    tail.append(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void keepsTheLastTwentyLines() {
    IntStream.range(0, 5000).forEach(i -> append("line " + i + "\r\n"));
    assertThat(tail.lines())
        .containsExactlyElementsOf(IntStream.range(4980, 5000).mapToObj(i -> "line " + i).toList());
  }

  @Test
  void keepsTheEndOfOneLargePiece() {
    append("x".repeat(100_000) + "\nlast");
    assertThat(tail.lines()).endsWith("last");
  }

  @Test
  void dropsColoursAndControlCharacters() {
    append("\u001b[1;31mred\u001b[0m\u0007\r\n\r\n\tplain\u0000\n");
    assertThat(tail.lines()).containsExactly("red", "plain");
  }

  @Test
  void isEmptyAtFirst() {
    assertThat(tail.lines()).isEmpty();
  }
}
