// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmState;

/** Two real guests on one virtual switch. */
class SwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** Half of it is what /tmp holds: two files of 23 MB in the longest of the tests. */
  private static final long MEMORY = 160L << 20;

  /** Static addresses; the link is there as soon as the driver is. */
  private static final String CARD =
      "set -e; ifconfig eth0 10.0.0.%d netmask 255.255.255.0 up; : > /etc/resolv.conf; cd /tmp; ";

  private static final String SERVE = "echo > ready; httpd -p 80 -h /tmp; ";

  /** The peer may not be there yet; once it is, there is one try, so that no failure is hidden. */
  private static final String FETCH =
      "i=0; until wget -q -O there http://10.0.0.%1$d/ready 2>/dev/null; do"
          + " i=$((i+1)); [ $i -lt 300 ]; usleep 100000; done;"
          + " wget -q -O got http://10.0.0.%1$d/sent; cmp sent got; ";

  /** The first guest takes a call when it is done, the second one calls when it is. */
  private static final String END_FIRST = "nc -l -p 1000 < /dev/null";

  private static final String END_SECOND =
      "i=0; until nc 10.0.0.1 1000 < /dev/null; do"
          + " i=$((i+1)); [ $i -lt 600 ]; usleep 100000; done";

  private final BundleContext context =
      FrameworkUtil.getBundle(SwitchTest.class).getBundleContext();
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private VirtualMachine guest(String name, int address, String command) {
    return machines.exec(
        name,
        MEMORY,
        "ip=off",
        CARD.formatted(address) + command,
        "type=net,backend=switch,switch=test");
  }

  private static void assertSuccess(VirtualMachine vm) {
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.result()).as("%s: %s", vm.name(), end).hasValue(0);
  }

  /** Numbered lines for the other guest, and the same ones from it. */
  private static String exchange(int peer, int count) {
    return "seq 1 " + count + " > sent; " + SERVE + FETCH.formatted(peer);
  }

  @Test
  void streamsArriveWholeBothWaysAtOnce() {
    VirtualMachine one = guest("one", 1, exchange(2, 2_000_000) + END_FIRST);
    VirtualMachine two =
        guest("two", 2, exchange(1, 2_000_000) + "ping -c 2 -w 20 10.0.0.1; " + END_SECOND);
    assertSuccess(two);
    assertSuccess(one);
  }

  @Test
  void streamsArriveWholeWhileTheBundleIsUpdated() throws Exception {
    VirtualMachine one = guest("one", 1, exchange(2, 3_000_000) + END_FIRST);
    VirtualMachine two = guest("two", 2, exchange(1, 3_000_000) + END_SECOND);
    Bundle net =
        Arrays.stream(context.getBundles())
            .filter(bundle -> bundle.getSymbolicName().equals("org.plex86.hal.net"))
            .findFirst()
            .orElseThrow();
    int updates = 0;
    while (one.state() != VmState.ENDED && two.state() != VmState.ENDED) {
      net.update();
      updates++;
      Thread.sleep(20);
    }
    assertSuccess(one);
    assertSuccess(two);
    assertThat(updates).isGreaterThan(5);
  }
}
