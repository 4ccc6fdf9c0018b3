// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;

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

  /** A stream of numbered lines, and its check on the other side. */
  private static String numbers(int count) {
    return "seq 1 " + count + " > sent; ";
  }

  private static String check(int count) {
    return numbers(count) + "cmp sent got; ";
  }

  @Test
  void guestsReachEachOther() {
    VirtualMachine one = guest("one", 1, serve(1000, "/etc/passwd"));
    VirtualMachine two =
        guest(
            "two",
            2,
            fetch(1, 1000, "got") + "cmp got /etc/passwd; ping -c 3 -i 0.2 -W 5 10.0.0.1; true; ");
    assertSuccess(two);
    assertSuccess(one);
  }

  @Test
  void streamsArriveWholeBothWaysAtOnce() {
    VirtualMachine one =
        guest(
            "one",
            1,
            numbers(2_000_000)
                + serve(1000, "sent &")
                + fetch(2, 1000, "got")
                + "wait; cmp sent got");
    VirtualMachine two =
        guest(
            "two",
            2,
            numbers(2_000_000)
                + serve(1000, "sent &")
                + fetch(1, 1000, "got")
                + "wait; cmp sent got");
    assertSuccess(one);
    assertSuccess(two);
  }
}
