// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventIndexTest {
  /** The meaning, without arithmetic modulo 2^16: was an entry of this number added? */
  private static boolean added(int event, int before, int count) {
    for (int i = 0; i < count; i++) {
      if (((before + i) & 0xffff) == event) {
        return true;
      }
    }
    return false;
  }

  @Test
  void passesExactlyTheEventsThatWereAddedAroundEveryWrap() {
    int[] near = {0, 0x7fff, 0x8000, 0xffff};
    int checked = 0;
    for (int centre : near) {
      for (int before = centre - 40; before <= centre + 40; before++) {
        for (int event = centre - 90; event <= centre + 90; event++) {
          for (int count = 0; count <= 40; count++) {
            int from = before & 0xffff;
            int to = (before + count) & 0xffff;
            assertThat(EventIndex.passed(event & 0xffff, from, to))
                .as("event=%d before=%d count=%d", event & 0xffff, from, count)
                .isEqualTo(added(event & 0xffff, from, count));
            checked++;
          }
        }
      }
    }
    assertThat(checked).isEqualTo(4 * 81 * 181 * 41);
  }

  @Test
  void passesEveryEventWhenAllButOneOfTheIndicesWereAdded() {
    for (int event = 0; event < 0xffff; event++) {
      assertThat(EventIndex.passed(event, 0, 0xffff)).isTrue();
    }
    assertThat(EventIndex.passed(0xffff, 0, 0xffff)).isFalse();
  }
}
