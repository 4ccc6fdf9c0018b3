// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The host's own curl reaches a server in the guest, and the guest one on the host's loopback. */
class ForwardIT {
  private static final int SIZE = 3_000_000;
  @TempDir Path folder;

  private static boolean hasCurl() {
    return Arrays.stream(System.getenv("PATH").split(":"))
        .anyMatch(path -> Files.isExecutable(Path.of(path, "curl")));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void curlGetsFromTheGuestWhatTheGuestHasFromTheHost() throws Exception {
    assumeThat(hasCurl()).as("curl is not installed on this host").isTrue();
    byte[] page = new byte[SIZE];
    new Random(86).nextBytes(page);
    InetAddress loopback = InetAddress.getLoopbackAddress();
    HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 10);
    server.createContext(
        "/page",
        exchange -> {
          exchange.sendResponseHeaders(200, SIZE);
          exchange.getResponseBody().write(page);
          exchange.close();
        });
    server.start();
    int port = freePort();
    String script =
        "mkdir /www; wget -q -O /www/page http://10.0.2.2:%d/page; httpd -h /www -p 80; echo up; cat"
            .formatted(server.getAddress().getPort());
    Process guest =
        Plex86.start(
            "run", "--net", "user,forward=tcp:127.0.0.1:%d:80".formatted(port), "--exec", script);
    try {
      assertThat(guest.getInputStream().readNBytes(3))
          .isEqualTo("up\n".getBytes(StandardCharsets.US_ASCII));
      Path got = folder.resolve("got");
      Process curl =
          new ProcessBuilder(
                  "curl",
                  "-sS",
                  "-m",
                  "60",
                  "-o",
                  got.toString(),
                  "http://127.0.0.1:" + port + "/page")
              .redirectErrorStream(true)
              .start();
      String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(curl.waitFor()).as(said).isZero();
      assertThat(Files.readAllBytes(got)).isEqualTo(page);
    } finally {
      server.stop(0);
      assertThat(Plex86.finish(guest, new byte[0]).status()).isZero();
    }
  }
}
