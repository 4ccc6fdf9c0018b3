// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ByteRingTest {
  @Property(tries = 300)
  void givesBackWhatWasPutInOrder(
      @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 0, max = 40) Integer> lengths) {
    ByteRing ring = new ByteRing(32);
    ByteArrayOutputStream put = new ByteArrayOutputStream();
    ByteArrayOutputStream taken = new ByteArrayOutputStream();
    byte next = 0;
    for (int i = 0; i < lengths.size(); i++) {
      byte[] bytes = new byte[lengths.get(i)];
      for (int k = 0; k < bytes.length; k++) {
        bytes[k] = next++;
      }
      ByteBuffer from = ByteBuffer.wrap(bytes);
      int free = ring.free();
      int count = ring.put(from);
      assertThat(count).isEqualTo(Math.min(free, bytes.length)).isEqualTo(from.position());
      put.write(bytes, 0, count);
      next -= (byte) (bytes.length - count);
      ByteBuffer into = ByteBuffer.allocate(lengths.get(lengths.size() - 1 - i));
      ring.take(into);
      taken.write(into.array(), 0, into.position());
      assertThat(ring.size() + ring.free()).isEqualTo(32);
    }
    ByteBuffer rest = ByteBuffer.allocate(32);
    ring.take(rest);
    taken.write(rest.array(), 0, rest.position());
    assertThat(taken.toByteArray()).isEqualTo(put.toByteArray());
  }

  @Example
  void refusesWhatItCannotHold() {
    assertThatIllegalArgumentException().isThrownBy(() -> new ByteRing(100));
    assertThatIllegalArgumentException().isThrownBy(() -> new ByteRing(8).consume(1));
    assertThatIllegalArgumentException().isThrownBy(() -> new ByteRing(8).consume(-1));
  }

  @Example
  void clearDropsWhatItHolds() {
    ByteRing ring = new ByteRing(8);
    ring.put(ByteBuffer.wrap(new byte[5]));
    ring.clear();
    assertThat(ring.free()).isEqualTo(8);
    assertThat(ring.front().hasRemaining()).isFalse();
  }
}
