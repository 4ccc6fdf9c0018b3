// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.launcher.itest.storm.StormBundle;

/** The net's bundle is replaced while connections through the gateway pass data both ways. */
class NetStormIT {
  /** At a time. */
  private static final int CONNECTIONS = 4;

  /** So many that even the fastest host has dozens of swaps meanwhile. */
  private static final int ROUNDS = 6;

  @TempDir Path folder;

  /** What a server on the host's loopback sends back is what was sent. */
  private static String compare(int port) {
    return "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0 2>/dev/null;"
        + " ip route add default via 10.0.2.2 2>/dev/null;"
        + " head -c 24000000 /dev/urandom > /tmp/x; round=0;"
        + " while [ $round -lt "
        + ROUNDS
        + " ]; do round=$((round+1)); pids=; i=0;"
        + " while [ $i -lt "
        + CONNECTIONS
        + " ]; do (nc 10.0.2.2 "
        + port
        + " < /tmp/x | cmp - /tmp/x) & pids=\"$pids $!\"; i=$((i+1)); done;"
        + " for p in $pids; do wait $p || exit 9; done; done; echo same";
  }

  private static void echo(Socket socket) {
    try (socket) {
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      // what it lacks is what the guest finds missing
    }
  }

  private static void serve(ServerSocket server) {
    try {
      for (int i = 0; i < ROUNDS * CONNECTIONS; i++) {
        Socket socket = server.accept();
        new Thread(() -> echo(socket), "echo").start();
      }
    } catch (IOException e) {
      // closed at the end of the test
    }
  }

  @Test
  void connectionsLoseNothingWhenTheBundleIsReplaced() throws Exception {
    Path count = folder.resolve("count");
    Path bundles = Files.createDirectory(folder.resolve("bundles"));
    StormBundle.write(bundles.resolve("storm.jar"), "org.plex86.hal.net", count);
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      new Thread(() -> serve(server), "accept").start();
      Plex86.Result result =
          Plex86.run(
              "run",
              "--bundles",
              bundles.toString(),
              "--net",
              "user",
              "--exec",
              compare(server.getLocalPort()));
      assertThat(result.errors()).isEmpty();
      assertThat(result.text()).isEqualTo("same\n");
      assertThat(result.status()).isZero();
    }
    assertThat(Integer.parseInt(Files.readString(count))).isGreaterThan(20);
  }
}
