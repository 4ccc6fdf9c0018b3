// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.testkit.TestSlot;
import org.plex86.hal.testkit.Threads;

/** Clients of a console, over real sockets. */
@Timeout(60)
class SocketEndpointTest {
  @TempDir Path folder;
  private SocketEndpoint endpoint;

  private SocketEndpoint make(String kind) {
    return kind.equals("tcp")
        ? SocketEndpoint.tcp("127.0.0.1", 0)
        : SocketEndpoint.unix(folder.resolve("console"));
  }

  private TestSlot.Opener opener(String kind) {
    return context -> {
      endpoint = make(kind);
      return new ConsoleChannel(context, endpoint, null, true, new ConsoleTail());
    };
  }

  private SocketChannel connect() throws IOException {
    return SocketChannel.open(endpoint.address());
  }

  private static String readUntil(SocketChannel client, String end) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer next = ByteBuffer.allocate(1 << 16);
    while (!all.toString(StandardCharsets.US_ASCII).endsWith(end)
        && client.read(next.clear()) >= 0) {
      all.write(next.array(), 0, next.position());
    }
    return all.toString(StandardCharsets.US_ASCII);
  }

  private static void type(SocketChannel client, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    while (bytes.hasRemaining()) {
      client.write(bytes);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp", "unix"})
  void lateClientIsGivenTheRecentOutputAndThenWhatFollows(String kind) throws Exception {
    try (TestSlot slot = new TestSlot(opener(kind))) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.write(0, "x".repeat(100_000) + "\nlogin: ");
      LinuxGuest.await("all was taken", () -> guest.waiting(1) == 0);
      try (SocketChannel client = connect()) {
        String recent = readUntil(client, "login: ");
        assertThat(recent).hasSize(ClientEndpoint.RECENT).endsWith("xx\nlogin: ");
        type(client, "root\n");
        guest.awaitText(0, "root\n");
        guest.write(0, "welcome");
        assertThat(readUntil(client, "welcome")).isEqualTo("welcome");
      }
      LinuxGuest.await("the client has gone", () -> acceptsAgain());
    }
  }

  private boolean acceptsAgain() {
    try (SocketChannel client = connect()) {
      return readUntil(client, "welcome").endsWith("welcome");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void secondClientIsToldThatThereIsOne() throws Exception {
    try (TestSlot slot = new TestSlot(opener("tcp"))) {
      LinuxGuest guest = new LinuxGuest(slot);
      try (SocketChannel first = connect()) {
        guest.write(0, "hello");
        assertThat(readUntil(first, "hello")).isEqualTo("hello");
        try (SocketChannel second = connect()) {
          assertThat(readUntil(second, "never")).contains("has a client already");
        }
        guest.write(0, "again");
        assertThat(readUntil(first, "again")).isEqualTo("again");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp", "unix"})
  void clientStaysConnectedAndMissesNothingWhileDriversAreReplaced(String kind) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    try (TestSlot slot = new TestSlot(opener(kind))) {
      LinuxGuest guest = new LinuxGuest(slot);
      try (SocketChannel client = connect()) {
        guest.write(0, "begin");
        assertThat(readUntil(client, "begin")).isEqualTo("begin");
        CompletableFuture<Void> swapper =
            CompletableFuture.runAsync(
                () -> {
                  while (!over.get()) {
                    assertThat(slot.swap(opener(kind), 1)).isEmpty();
                    swaps.incrementAndGet();
                  }
                },
                Threads::onItsOwn);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 200_000; i++) {
          text.append(i).append('\n');
        }
        text.append("end");
        CompletableFuture<String> read =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return readUntil(client, "end");
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                },
                Threads::onItsOwn);
        CompletableFuture<Void> typed =
            CompletableFuture.runAsync(
                () -> {
                  try {
                    type(client, text.toString());
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                },
                Threads::onItsOwn);
        int part = text.length() / 10 + 1;
        // a swap between any two parts, however fast or slow the host is
        for (int at = 0; at < text.length(); at += part) {
          int before = swaps.get();
          guest.write(0, text.substring(at, Math.min(text.length(), at + part)));
          LinuxGuest.await("a swap", () -> swaps.get() > before);
        }
        guest.awaitBytes(0, text.length());
        assertThat(read.get()).isEqualTo(text.toString());
        typed.get();
        over.set(true);
        swapper.get();
        assertThat(guest.text(0)).isEqualTo(text.toString());
        assertThat(swaps.get()).isGreaterThan(5);
      }
    }
  }

  @Test
  void socketOfKilledProcessIsReplacedAndOneInUseIsNot() throws Exception {
    Path path = folder.resolve("console");
    SocketAddress address = UnixDomainSocketAddress.of(path);
    ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
    assertThatThrownBy(() -> new TestSlot(opener("unix")))
        .isInstanceOf(HalException.class)
        .hasMessageContaining("cannot listen on unix:" + path);
    other.close(); // the file stays
    assertThat(path).exists();
    try (TestSlot slot = new TestSlot(opener("unix"))) {
      assertThat(Files.getPosixFilePermissions(path)).hasSize(2);
      assertThat(slot.errors()).isEmpty();
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void fileThatIsNoSocketIsLeftAlone() throws Exception {
    Path path = Files.write(folder.resolve("console"), new byte[3]);
    assertThatThrownBy(() -> new TestSlot(opener("unix"))).isInstanceOf(HalException.class);
    assertThat(Arrays.asList(path)).allMatch(Files::exists);
  }
}
