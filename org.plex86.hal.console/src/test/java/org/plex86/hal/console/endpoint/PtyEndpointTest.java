// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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

/** Programs at a console that is a pseudo-terminal. */
@Timeout(60)
class PtyEndpointTest {
  private final List<String> announced = new ArrayList<>();

  private PtyEndpoint endpoint;

  private TestSlot.Opener opener() {
    return context -> {
      endpoint = new PtyEndpoint(announced::add);
      return new ConsoleChannel(context, endpoint, null, true, new ConsoleTail());
    };
  }

  /** A program that has the other end open, as one without a terminal of its own does. */
  private int connect() {
    int fd = LibC.open(announced.get(0), LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC);
    assertThat(fd).isNotNegative();
    return fd;
  }

  @Test
  void programsComeAndGoAndEachIsGivenTheRecentOutput() throws Exception {
    try (TestSlot slot = new TestSlot(opener())) {
      assertThat(announced).hasSize(1);
      LinuxGuest guest = new LinuxGuest(slot);
      guest.write(0, "x".repeat(300_000) + "\nlogin: ");
      LinuxGuest.await("all was taken", () -> guest.waiting(1) == 0);
      for (String typed : List.of("root\n", "\u0003again\n")) {
        int program = connect();
        try {
          assertThat(Fds.isRaw(program)).isTrue();
          String recent = Fds.readUntil(program, "login: ");
          assertThat(recent).hasSize(ClientEndpoint.RECENT).endsWith("xx\nlogin: ");
          Fds.write(program, typed);
          guest.awaitText(0, typed);
        } finally {
          LibC.close(program);
        }
        // one that follows at once would be taken for the same
        LinuxGuest.await("the program has gone", () -> !endpoint.hasClient());
      }
      assertThat(slot.errors()).isEmpty();
    }
  }

  @Test
  void guestWaitsForAProgramThatReadsNothingAndNoLongerOnceThatIsGone() throws Exception {
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = new LinuxGuest(slot);
      int program = connect();
      try {
        guest.write(0, "hello");
        Fds.readUntil(program, "hello");
        guest.write(0, "y".repeat(1_000_000));
        LinuxGuest.await("the buffers are full", () -> Fds.unread(program) > 2000);
        assertThat(guest.waiting(1)).isPositive();
      } finally {
        LibC.close(program);
      }
      LinuxGuest.await("the guest goes on", () -> guest.waiting(1) == 0);
    }
  }

  @Test
  void whatAProgramWritesBeforeItLeavesAtOnceReachesTheGuest() throws Exception {
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = new LinuxGuest(slot);
      int program = connect();
      Fds.write(program, "reboot\n");
      LibC.close(program);
      guest.awaitText(0, "reboot\n");
    }
  }

  @Test
  void programStaysAndMissesNothingWhileDriversAreReplaced() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 50_000; i++) {
      text.append(i).append('\n');
    }
    text.append("end");
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = new LinuxGuest(slot);
      int program = connect();
      try {
        guest.write(0, "begin");
        Fds.readUntil(program, "begin");
        CompletableFuture<Void> swapper =
            CompletableFuture.runAsync(
                () -> {
                  while (!over.get()) {
                    assertThat(slot.swap(opener(), 1)).isEmpty();
                    swaps.incrementAndGet();
                  }
                },
                Threads::onItsOwn);
        CompletableFuture<String> read =
            CompletableFuture.supplyAsync(() -> readAll(program), Threads::onItsOwn);
        CompletableFuture<Void> typed =
            CompletableFuture.runAsync(
                () -> Fds.write(program, text.toString()), Threads::onItsOwn);
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
        assertThat(announced).hasSize(1);
      } finally {
        LibC.close(program);
      }
    }
  }

  private static String readAll(int program) {
    try {
      return Fds.readUntil(program, "end");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
