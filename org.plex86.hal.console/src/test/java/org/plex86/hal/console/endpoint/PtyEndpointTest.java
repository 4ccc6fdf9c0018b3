// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.testkit.TestSlot;
import org.plex86.hal.testkit.Threads;

/** Programs that open the pseudo-terminal of a console. */
@Timeout(60)
class PtyEndpointTest {
  private final List<Path> made = new ArrayList<>();

  private ConsoleChannel open(org.plex86.hal.api.ChannelContext context)
      throws org.plex86.hal.api.HalException {
    return new ConsoleChannel(context, new PtyEndpoint(made::add), null, true, new ConsoleTail());
  }

  private int connect() {
    int fd = LibC.open(made.get(0).toString(), LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC);
    assertThat(fd).isPositive();
    return fd;
  }

  @Test
  void lateClientIsGivenTheRecentOutputAndThenWhatFollows() throws Exception {
    try (TestSlot slot = new TestSlot(this::open)) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.write(0, "x".repeat(100_000) + "\nlogin: ");
      LinuxGuest.await("all was taken", () -> guest.waiting(1) == 0);
      for (String name : List.of("root", "nobody")) {
        int client = connect();
        String recent = Fds.readUntil(client, "login: ");
        assertThat(recent).hasSize(ClientEndpoint.RECENT).endsWith("xx\nlogin: ");
        assertThat(Fds.isRaw(client)).isTrue();
        Fds.write(client, name + "\n");
        guest.awaitText(0, name + "\n");
        guest.write(0, "login: ");
        assertThat(Fds.readUntil(client, "login: ")).isEqualTo("login: ");
        LibC.close(client);
        // more than is kept for a client: all of it is taken only once this one is seen to be gone
        guest.write(0, "y".repeat(1_000_000) + "xx\nlogin: ");
        LinuxGuest.await("nobody is waited for", () -> guest.waiting(1) == 0);
      }
      assertThat(slot.errors()).isEmpty();
    }
    assertThat(made).hasSize(1).noneMatch(Files::exists);
  }

  @Test
  void whatIsWrittenByAProgramThatEndsAtOnceArrives() throws Exception {
    try (TestSlot slot = new TestSlot(this::open)) {
      LinuxGuest guest = new LinuxGuest(slot);
      int client = connect();
      Fds.write(client, "reboot\n");
      LibC.close(client);
      guest.awaitText(0, "reboot\n");
    }
  }

  @Test
  void clientStaysConnectedAndMissesNothingWhileDriversAreReplaced() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    try (TestSlot slot = new TestSlot(this::open)) {
      LinuxGuest guest = new LinuxGuest(slot);
      int client = connect();
      guest.write(0, "begin");
      assertThat(Fds.readUntil(client, "begin")).isEqualTo("begin");
      CompletableFuture<Void> swapper =
          CompletableFuture.runAsync(
              () -> {
                while (!over.get()) {
                  assertThat(slot.swap(this::open, 1)).isEmpty();
                  swaps.incrementAndGet();
                }
              },
              Threads::onItsOwn);
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 100_000; i++) {
        text.append(i).append('\n');
      }
      text.append("end");
      CompletableFuture<String> read = new CompletableFuture<>();
      Threads.onItsOwn(
          () -> {
            try {
              read.complete(readAll(client, text.length()));
            } catch (RuntimeException e) {
              read.completeExceptionally(e);
            }
          });
      CompletableFuture<Void> typed =
          CompletableFuture.runAsync(() -> Fds.write(client, text.toString()), Threads::onItsOwn);
      int part = text.length() / 10 + 1;
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
      LibC.close(client);
    }
    assertThat(made).hasSize(1);
  }

  private static String readAll(int fd, int length) {
    StringBuilder all = new StringBuilder();
    while (all.length() < length) {
      byte[] more = Fds.read(fd);
      assertThat(more).isNotEmpty();
      all.append(new String(more, java.nio.charset.StandardCharsets.US_ASCII));
    }
    return all.toString();
  }

  @Test
  void ptyIsClosedWhereNobodyTakesItOver() throws Exception {
    TestSlot slot = new TestSlot(this::open);
    assertThat(made.get(0)).exists();
    slot.close();
    assertThat(made.get(0)).doesNotExist();
  }
}
