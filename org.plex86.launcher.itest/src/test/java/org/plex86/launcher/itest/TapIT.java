// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A tap, in a network namespace of the test's own; left out where that is not allowed. */
class TapIT {
  /** Makes the tap, and runs what is given to it. */
  private static final String WITH_TAP =
      "set -e; ip tuntap add dev tap0 mode tap vnet_hdr; ip addr add 10.9.0.1/24 dev tap0;"
          + " ip link set tap0 up; exec \"$@\"";

  private static List<String> inNamespace(List<String> command) {
    List<String> all =
        new ArrayList<>(List.of("unshare", "--map-root-user", "--net", "sh", "-c", WITH_TAP, "sh"));
    all.addAll(command);
    return all;
  }

  private static boolean isAllowed() throws InterruptedException {
    try {
      Process trial =
          new ProcessBuilder(inNamespace(List.of("test", "-w", "/dev/net/tun")))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return trial.waitFor(20, TimeUnit.SECONDS) && trial.exitValue() == 0;
    } catch (IOException e) {
      return false; // there is no unshare
    }
  }

  @Test
  void guestAndHostReachEachOtherOverATap() throws Exception {
    assumeTrue(isAllowed(), "a network namespace with a tap cannot be made here");
    List<String> command =
        inNamespace(
            Plex86.command(
                "run",
                "--append",
                "ip=10.9.0.2:::255.255.255.0::eth0:off",
                "--net",
                "tap,ifname=tap0",
                "--exec",
                "ping -c 3 -s 1400 10.9.0.1"));
    var result = Plex86.finish(new ProcessBuilder(command).start(), new byte[0]);
    assertThat(result.text()).contains("3 packets transmitted, 3 packets received");
    assertThat(result.status()).isZero();
  }

  @Test
  void tapThatBelongsToOthersIsRefusedInOneLine() throws Exception {
    assumeTrue(isAllowed(), "a network namespace with a tap cannot be made here");
    List<String> command =
        inNamespace(Plex86.command("run", "--net", "tap,ifname=lo", "--exec", "true"));
    var result = Plex86.finish(new ProcessBuilder(command).start(), new byte[0]);
    result.isFailure(3, "lo");
  }
}
