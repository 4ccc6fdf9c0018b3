// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class KeyValueListTest {
  @Property
  void splittingUndoesEscaping(@ForAll @Size(min = 1, max = 5) List<String> items) {
    String text =
        String.join(
            ",", items.stream().map(i -> i.replace("\\", "\\\\").replace(",", "\\,")).toList());
    assertThat(KeyValueList.split(text)).isEqualTo(items);
  }

  @Test
  void backslashBeforeAnythingElseStaysOne() {
    assertThat(KeyValueList.split("C:\\x,y")).containsExactly("C:\\x", "y");
  }
}
