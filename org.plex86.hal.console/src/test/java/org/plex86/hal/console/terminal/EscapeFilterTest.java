// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class EscapeFilterTest {
  /** What comes out, keys in brackets. */
  private static final class Seen implements EscapeFilter.Target {
    final StringBuilder all = new StringBuilder();

    @Override
    public void data(ByteBuffer bytes) {
      all.append(StandardCharsets.ISO_8859_1.decode(bytes));
    }

    @Override
    public void key(char key) {
      all.append('[').append(key).append(']');
    }
  }

  private static String filtered(String text, int piece) {
    Seen seen = new Seen();
    EscapeFilter filter = new EscapeFilter();
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    for (int at = 0; at < bytes.length; at += piece) {
      filter.feed(ByteBuffer.wrap(bytes, at, Math.min(piece, bytes.length - at)), seen);
    }
    return seen.all.toString();
  }

  @Provide
  Arbitrary<String> keys() {
    return Arbitraries.strings().withChars('\u0001', 'a', 'x', '\u00ff').ofMaxLength(30);
  }

  @Property
  void piecesOfAnyLengthGiveTheSame(
      @ForAll("keys") String text, @ForAll @IntRange(min = 1, max = 10) int piece) {
    assertThat(filtered(text, piece)).isEqualTo(filtered(text, 1000));
  }

  @Example
  void tellsKeysFromText() {
    assertThat(filtered("ab\u0001xcd\u0001\u0001e\u0001", 1000)).isEqualTo("ab[x]cd\u0001e");
  }
}
