// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** Two real guests on one virtual switch. */
class SwitchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** Static addresses; the link is there as soon as the driver is. */
  private static final String CARD =
      "set -e; ifconfig eth0 10.0.0.%d netmask 255.255.255.0 up; cd /tmp; ";

  /** Sends to whoever connects next; the peer may not be there yet. */
  private static final String SERVE = "nc -l -p %d < %s; ";

  private static final String FETCH =
      "i=0; until nc 10.0.0.%d %d > %s 2>/dev/null < /dev/null; do"
          + " i=$((i+1)); [ $i -lt 600 ]; usleep 50000; done; ";

  private final BundleContext context =
      FrameworkUtil.getBundle(SwitchTest.class).getBundleContext();
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private VirtualMachine guest(String name, int address, String command) {
    String escaped = (CARD.formatted(address) + command).replace("\\", "\\\\").replace(",", "\\,");
    return machines.start(
        name,
        Map.of(
            VmProperties.MEMORY,
            96L << 20,
            VmProperties.APPEND,
            "quiet plex86.exec ip=off",
            VmProperties.CHANNELS,
            new String[] {
              "type=console,quiet=on,exec=" + escaped, "type=net,backend=switch,switch=test"
            }));
  }

  private static void assertSuccess(VirtualMachine vm) {
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.result()).as("%s: %s", vm.name(), end).hasValue(0);
  }

  private static String serve(int port, String file) {
    return SERVE.formatted(port, file);
  }

  private static String fetch(int address, int port, String file) {
    return FETCH.formatted(address, port, file);
  }

  /** Sends numbered lines to the other guest, takes the other's, and compares. */
  private static String exchange(int peer, int count) {
    return ("seq 1 " + count + " > sent; " + serve(1000, "sent &").replace("; ", " "))
        + fetch(peer, 1000, "got")
        + "wait; cmp sent got";
  }

  @Test
  void guestsReachEachOther() {
    VirtualMachine one = guest("one", 1, serve(1000, "/etc/passwd"));
    VirtualMachine two =
        guest(
            "two", 2, "ping -c 2 -w 20 10.0.0.1; " + fetch(1, 1000, "got") + "cmp got /etc/passwd");
    assertSuccess(two);
    assertSuccess(one);
  }

  @Test
  void streamsArriveWholeBothWaysAtOnce() {
    VirtualMachine one = guest("one", 1, exchange(2, 2_000_000));
    VirtualMachine two = guest("two", 2, exchange(1, 2_000_000));
    assertSuccess(one);
    assertSuccess(two);
  }

  @Test
  void streamsArriveWholeWhileTheBundleIsUpdated() throws Exception {
    VirtualMachine one = guest("one", 1, exchange(2, 3_000_000));
    VirtualMachine two = guest("two", 2, exchange(1, 3_000_000));
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
