// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class FioTest {
  private static String line() {
    String[] fields = new String[130];
    Arrays.fill(fields, "0");
    fields[0] = "3";
    fields[1] = "fio-3.33";
    fields[2] = "disk_read_4k";
    fields[6] = "583792";
    fields[7] = "145948.5";
    fields[47] = "17";
    fields[48] = "4.25";
    return String.join(";", fields);
  }

  @Test
  void takesThroughputAndOperationsOfBothDirections() {
    assertThat(Fio.parse(line())).contains(new Fio("disk_read_4k", 0, 583792, 145948.5, 17, 4.25));
  }

  @Test
  void leavesOtherLinesAlone() {
    assertThat(Fio.parse("")).isEmpty();
    assertThat(Fio.parse("fio: failed")).isEmpty();
    assertThat(Fio.parse(line().substring(0, 60))).isEmpty();
    assertThat(Fio.parse(line().replace("583792", "many"))).isEmpty();
  }
}
