// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A program of the guest holds thousands of connections through the gateway, and uses them all. */
class ConnectionsIT {
  private static final int CONNECTIONS = 3000;

  private final ByteBuffer buffer = ByteBuffer.allocate(4096);

  /** Sends back what comes, on all connections at once, until the selector is closed. */
  private void echo(Selector selector) {
    try {
      while (selector.isOpen()) {
        selector.select();
        for (SelectionKey key : selector.selectedKeys()) {
          if (key.channel() instanceof ServerSocketChannel server) {
            SocketChannel socket = server.accept();
            socket.configureBlocking(false);
            socket.register(selector, SelectionKey.OP_READ);
          } else {
            echo((SocketChannel) key.channel());
          }
        }
        selector.selectedKeys().clear();
      }
    } catch (IOException | ClosedSelectorException e) {
      // what it lacks is what the guest finds missing
    }
  }

  /** A few bytes at a time, which a socket's buffer has always room for. */
  private void echo(SocketChannel socket) throws IOException {
    if (socket.read(buffer.clear()) < 0) {
      socket.close();
    } else {
      socket.write(buffer.flip());
    }
  }

  /** The hard limit, to which a JVM raises its own. */
  private static long openFiles() throws IOException {
    try (Stream<String> limits = Files.lines(Path.of("/proc/self/limits"))) {
      return limits
          .filter(line -> line.startsWith("Max open files"))
          .map(line -> line.split(" {2,}")[2])
          .mapToLong(limit -> limit.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(limit))
          .findFirst()
          .orElse(0);
    }
  }

  @Test
  void thousandsAtOnceGetBackWhatTheySend() throws Exception {
    assumeThat(openFiles()).as("open files that this host allows").isGreaterThan(CONNECTIONS + 500);
    byte[] program =
        Files.readAllBytes(Plex86.file("org.plex86.launcher.itest/target/native/tcprr"));
    try (ServerSocketChannel server = ServerSocketChannel.open();
        Selector selector = Selector.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), CONNECTIONS);
      server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
      new Thread(() -> echo(selector), "echo").start();
      Plex86.Result result =
          Plex86.feed(
              program,
              "run",
              "--net",
              "user",
              "--exec",
              "cat >/tmp/tcprr; chmod 755 /tmp/tcprr; /tmp/tcprr 10.0.2.2 %d 1 crowd %d"
                  .formatted(server.socket().getLocalPort(), CONNECTIONS));
      assertThat(result.errors()).isEmpty();
      assertThat(result.text()).isEqualTo("@ tcp_crowd_wrong 0 of %d\n".formatted(CONNECTIONS));
      assertThat(result.status()).isZero();
    }
  }
}
