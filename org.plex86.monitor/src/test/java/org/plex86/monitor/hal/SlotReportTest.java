// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SlotReportTest {
  private final IOException full = new IOException("No space left on device");

  private final List<String> lines = new ArrayList<>();
  private final SlotReport report =
      new SlotReport(
          "disk0",
          new ChannelHost() {
            @Override
            public String vmName() {
              return "vm1";
            }

            @Override
            public void log(String channel, String line) {
              lines.add(line);
            }

            @Override
            public void reportError(String channel, String message, Throwable cause) {
              lines.add(message);
            }

            @Override
            public void reportResult(String channel, int status) {
              lines.add("result " + status);
            }
          });

  private void write(long second) {
    report.error("cannot write", full, TimeUnit.SECONDS.toNanos(second));
  }

  @Test
  void causeIsToldOnceForAsLongAsItIsThere() {
    for (int second = 0; second < 300; second += 30) {
      write(second);
    }
    report.error("cannot read", full, TimeUnit.SECONDS.toNanos(300));
    assertThat(lines).containsExactly("cannot write", "cannot read");
  }

  @Test
  void causeThatWasGoneAndComesBackIsToldAgain() {
    write(0);
    write(50);
    write(111);
    write(112);
    assertThat(lines).containsExactly("cannot write", "cannot write");
  }

  @Test
  void thereMayBeAnyNumberOfCauses() {
    for (int i = 0; i < 1000; i++) {
      report.error("cause " + i, null, 0);
      report.error("cause " + i, null, 0);
    }
    assertThat(lines).hasSize(1000);
  }
}
