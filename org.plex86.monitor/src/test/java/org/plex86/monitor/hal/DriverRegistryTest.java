// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Version;
import org.plex86.hal.api.HalException;

class DriverRegistryTest {
  private final DriverRegistry registry = new DriverRegistry();

  @BeforeEach
  void fill() {
    add(1, 0, "a", "1.0.0");
    add(2, 0, "b", "9.0.0");
    add(3, 5, "c", "1.0.0");
    add(4, 0, "a", "1.2.0");
    add(5, -1, "a", "2.0.0");
    add(6, 0, "a", "1.1.0");
  }

  private void add(long id, int ranking, String bundle, String version) {
    registry.add(
        new DriverService(
            new EchoDriver(), "echo", ranking, id, bundle, new Version(version), false));
  }

  private String order(String spec) throws HalException {
    return String.join(
        " ",
        registry.candidates(ChannelSpec.parse(spec)).stream()
            .map(d -> Long.toString(d.id()))
            .toList());
  }

  @Test
  void ordersByRankingThenAgeButTheNewestVersionOfBundleFirst() throws HalException {
    assertThat(order("type=echo")).isEqualTo("3 4 6 1 2 5");
  }

  @Test
  void keepsToTheBundleThatTheChannelNames() throws HalException {
    assertThat(order("type=echo,driver=a")).isEqualTo("4 6 1 5");
    assertThat(order("type=echo,driver=a:1.1.0")).isEqualTo("6");
    assertThat(order("type=echo,driver=x")).isEmpty();
    assertThat(order("type=disk")).isEmpty();
  }
}
