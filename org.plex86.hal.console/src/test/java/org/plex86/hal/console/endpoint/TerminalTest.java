// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.EscapeHandler;
import org.plex86.hal.console.TerminalLoan;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.console.terminal.EscapeRegistry;
import org.plex86.hal.testkit.TestSlot;

/** A console on a real pseudo-terminal: the test is the user at its other end. */
@Timeout(60)
class TerminalTest {
  private final Fds fds = new Fds();
  private final Fds.Pty pty = fds.pty(80, 24);
  private final EscapeRegistry escapes = new EscapeRegistry();

  @AfterEach
  void closeDescriptors() {
    fds.close();
  }

  private TestSlot slot() throws HalException {
    return new TestSlot(opener());
  }

  private TestSlot.Opener opener() {
    return context ->
        new ConsoleChannel(
            context,
            StdioEndpoints.over(pty.slave(), pty.slave(), escapes),
            null,
            true,
            new ConsoleTail());
  }

  private void type(String text) {
    Fds.write(pty.master(), text);
  }

  private String shown(String until) throws IOException {
    return Fds.readUntil(pty.master(), until);
  }

  @Test
  void terminalIsRawWhileTheConsoleIsOpenAndAsBeforeThen() throws Exception {
    var before = Fds.modes(pty.slave());
    try (TestSlot slot = slot()) {
      assertThat(slot.errors()).isEmpty();
      assertThat(Fds.isRaw(pty.slave())).isTrue();
    }
    assertThat(Fds.modes(pty.slave())).isEqualTo(before);
  }

  @Test
  void terminalStaysRawAndNothingIsLostWhileDriversAreReplaced() throws Exception {
    var before = Fds.modes(pty.slave());
    String line = "0123456789".repeat(5);
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      for (int i = 0; i < 20; i++) {
        type(line + i + ";");
        guest.write(0, "<" + i + ">" + line + "!");
        assertThat(slot.swap(opener(), 1)).as("left behind").isEmpty();
        assertThat(Fds.isRaw(pty.slave())).isTrue();
        guest.awaitText(0, line + i + ";");
        assertThat(shown("!")).isEqualTo("<" + i + ">" + line + "!");
      }
      // Ctrl-A before and the key after a change of drivers
      type("\u0001");
      LinuxGuest.await("it was read", () -> Fds.unread(pty.slave()) == 0);
      slot.swap(opener(), 1);
      type("\u0001.");
      guest.awaitText(0, "\u0001.");
      assertThat(guest.text(0).length()).isEqualTo(20 * (line.length() + 1) + 10 + 20 + 2);
    }
    assertThat(Fds.modes(pty.slave())).isEqualTo(before);
  }

  @Test
  void terminalIsRestoredWhenNoDriverTakesOver() throws Exception {
    var before = Fds.modes(pty.slave());
    try (TestSlot slot = slot()) {
      var handed = new java.util.ArrayList<Object>();
      slot.run(() -> handed.addAll(slot.channel().handOver().values()));
      assertThat(Fds.isRaw(pty.slave())).isTrue();
      for (Object value : handed) {
        if (value instanceof AutoCloseable closeable) {
          closeable.close(); // as the slot does at the end of the machine
        }
      }
      assertThat(Fds.modes(pty.slave())).isEqualTo(before);
      slot.swap(opener(), 1);
    }
  }

  @Test
  void signalToTheProcessRestoresTheTerminal() throws Exception {
    var before = Fds.modes(pty.slave());
    for (String signal : new String[] {"TERM", "INT", "HUP"}) {
      Process child =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  ConsoleProcess.class.getName())
              .redirectInput(Path.of(pty.path()).toFile())
              .redirectOutput(Path.of(pty.path()).toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      LinuxGuest.await("raw mode", () -> Fds.isRaw(pty.slave()));
      // the shell's own: not every host has a program of that name
      new ProcessBuilder("sh", "-c", "kill -" + signal + " " + child.pid()).start().waitFor();
      assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(Fds.modes(pty.slave())).isEqualTo(before);
    }
  }

  @Test
  void modesThatAnotherProgramChangedBecomeRawAgain() throws Exception {
    var before = Fds.modes(pty.slave());
    try (TestSlot slot = slot()) {
      assertThat(slot.errors()).isEmpty();
      // What a user's shell does when the process was stopped, and continues in the foreground.
      assertThat(org.plex86.hal.console.io.LibC.tcsetattr(pty.slave(), 0, before)).isZero();
      LinuxGuest.await("raw mode", () -> Fds.isRaw(pty.slave()));
    }
    assertThat(Fds.modes(pty.slave())).isEqualTo(before);
  }

  @Test
  void driverThatTakesOverKeepsTheTerminalRawAndRestoresItAtTheEnd() throws Exception {
    var before = Fds.modes(pty.slave());
    try (TestSlot older = slot()) {
      try (TestSlot newer = slot()) {
        older.run(() -> older.channel().close());
        assertThat(Fds.isRaw(pty.slave())).isTrue();
        LinuxGuest guest = new LinuxGuest(newer);
        type("still here");
        guest.awaitText(0, "still here");
      }
      assertThat(Fds.modes(pty.slave())).isEqualTo(before);
    }
    assertThat(Fds.modes(pty.slave())).isEqualTo(before);
  }

  @Test
  void closedConsolesLeaveNoDescriptorOrThread() throws Exception {
    slot().close();
    int descriptors = descriptors();
    for (int i = 0; i < 10; i++) {
      try (TestSlot slot = slot()) {
        new LinuxGuest(slot).write(0, "x");
      }
    }
    assertThat(descriptors()).isLessThanOrEqualTo(descriptors);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("plex86-console"));
  }

  private static int descriptors() {
    return new java.io.File("/proc/self/fd").list().length;
  }

  @Test
  void keysReachTheGuestUnchanged() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("a\u0003\u001a\u0004\u001c\r\n\u0013\u0011\u007f\u0000\u00ff");
      guest.awaitText(0, "\u00ff");
      assertThat(guest.text(0))
          .isEqualTo("a\u0003\u001a\u0004\u001c\r\n\u0013\u0011\u007f\u0000\u00ff");
    }
  }

  @Test
  void tenThousandPastedCharactersArriveInOrder() throws Exception {
    String text =
        IntStream.range(0, 10_000 / 8)
            .mapToObj(i -> String.format("%07d%n", i))
            .collect(Collectors.joining());
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.read(0, false);
      Thread paste = new Thread(() -> type(text));
      paste.start();
      Thread.sleep(300);
      guest.read(0, true);
      guest.awaitBytes(0, text.length());
      paste.join();
      assertThat(guest.text(0)).isEqualTo(text);
    }
  }

  @Test
  void windowSizeIsTakenOverAndFollowed() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.awaitSize(80, 24);
      Fds.resize(pty, 200, 61);
      guest.awaitSize(200, 61);
    }
  }

  @Test
  void earlyTextGetsCarriageReturns() throws Exception {
    try (TestSlot slot = slot()) {
      slot.run(() -> slot.channel().earlyOutput("a\nb\r\nc\r".getBytes(StandardCharsets.UTF_8)));
      slot.run(() -> slot.channel().earlyOutput("\nd".getBytes(StandardCharsets.UTF_8)));
      assertThat(shown("d")).isEqualTo("a\r\nb\r\nc\r\nd");
    }
  }

  @Test
  void doubledEscapeSendsOne() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("<\u0001\u0001\u0001\u0001>");
      guest.awaitText(0, ">");
      assertThat(guest.text(0)).isEqualTo("<\u0001\u0001>");
    }
  }

  @Test
  void keyOfAHandlerCallsItEvenIfTheGuestTakesNothing() throws Exception {
    CompletableFuture<String> pressed = new CompletableFuture<>();
    escapes.add(
        terminal -> pressed.complete(terminal.vmName()),
        Map.of(EscapeHandler.KEY, "x", EscapeHandler.HELP, "stop the VM"));
    try (TestSlot slot = slot()) {
      assertThat(slot.errors()).isEmpty();
      type("x".repeat(3000) + "\u0001x");
      assertThat(pressed.get(10, TimeUnit.SECONDS)).isEqualTo("vm1");
    }
  }

  @Test
  void helpListsTheKeys() throws Exception {
    escapes.add(terminal -> {}, Map.of(EscapeHandler.KEY, "x", EscapeHandler.HELP, "stop the VM"));
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("\u0001h");
      assertThat(shown("Ctrl-A Ctrl-A")).contains("[plex86: Ctrl-A x  stop the VM]\r\n");
      type("\u0001q!");
      assertThat(shown("lists the keys")).contains("nothing behind");
      guest.awaitText(0, "!");
      assertThat(guest.text(0)).isEqualTo("!");
    }
  }

  @Test
  void handlerThatFailsIsShownAndTheConsoleGoesOn() throws Exception {
    escapes.add(
        terminal -> {
          throw new IllegalStateException("broken");
        },
        Map.of(EscapeHandler.KEY, "z"));
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("\u0001z");
      assertThat(shown("broken")).contains("Ctrl-A z failed");
      type("on");
      guest.awaitText(0, "on");
    }
  }

  /** Echoes upper-cased what is typed, until the end of input. */
  private static void shout(ConsoleTerminal terminal, CountDownLatch ended) {
    try (TerminalLoan loan = terminal.borrow()) {
      loan.output().write("your turn ".getBytes(StandardCharsets.UTF_8));
      InputStream input = loan.input();
      for (int key; (key = input.read()) >= 0 && key != 'q'; ) {
        loan.output().write(Character.toUpperCase(key));
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } finally {
      ended.countDown();
    }
  }

  @Test
  void lentTerminalGoesToTheHandlerAndComesBack() throws Exception {
    CountDownLatch ended = new CountDownLatch(2);
    escapes.add(terminal -> shout(terminal, ended), Map.of(EscapeHandler.KEY, "c"));
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("ab\u0001c");
      assertThat(shown("your turn ")).isEqualTo("your turn ");
      guest.write(0, "meanwhile");
      type("hi");
      assertThat(shown("HI")).isEqualTo("HI");
      // Back by the handler's own end.
      type("q");
      assertThat(shown("meanwhile"))
          .isEqualTo("\r\n[plex86: back at the console of vm1]\r\nmeanwhile");
      type("cd");
      guest.awaitText(0, "abcd");
      assertThat(guest.text(0)).isEqualTo("abcd");
      // And back by the same key, which also ends a handler that waits for input.
      type("\u0001c");
      shown("your turn ");
      type("\u0001c");
      shown("back at the console");
      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
      type("ef");
      guest.awaitText(0, "abcdef");
    }
  }

  @Test
  void keyIsNotLostThatIsPressedBeforeAHandlerReturnsThatGaveTheTerminalBack() throws Exception {
    CountDownLatch typedAgain = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(2);
    escapes.add(
        terminal -> {
          shout(terminal, ended);
          try {
            assertThat(typedAgain.await(10, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        },
        Map.of(EscapeHandler.KEY, "c"));
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("\u0001c");
      shown("your turn ");
      type("q");
      shown("back at the console of vm1]");
      type("\u0001ca");
      guest.awaitText(0, "a"); // so the key before was seen
      typedAgain.countDown();
      shown("your turn ");
      type("q");
      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void terminalIsTakenFromAHandlerThatKeepsIt() throws Exception {
    CompletableFuture<String> end = new CompletableFuture<>();
    CountDownLatch lent = new CountDownLatch(1);
    escapes.add(
        terminal -> {
          TerminalLoan loan = terminal.borrow();
          lent.countDown();
          try {
            Thread.sleep(60_000);
            end.complete("slept");
          } catch (InterruptedException e) {
            try {
              loan.output().write('x');
              end.complete("wrote");
            } catch (IOException gone) {
              end.complete(gone.getMessage());
            }
          }
        },
        Map.of(EscapeHandler.KEY, "k"));
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("\u0001k");
      assertThat(lent.await(10, TimeUnit.SECONDS)).isTrue();
      type("\u0001kab");
      guest.awaitText(0, "ab");
      assertThat(end.get(10, TimeUnit.SECONDS)).contains("went back to the guest");
    }
  }

  @Test
  void endOfTheMachineEndsTheLoanAndShowsWhatWasHeldBack() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    escapes.add(terminal -> shout(terminal, ended), Map.of(EscapeHandler.KEY, "c"));
    var before = Fds.modes(pty.slave());
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      type("\u0001c");
      shown("your turn ");
      guest.write(0, "last words");
    }
    assertThat(shown("last words")).isNotEmpty();
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(Fds.modes(pty.slave())).isEqualTo(before);
  }

  @Test
  void terminalThatGoesAwayEndsTheMachine() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      fds.close(pty.master());
      assertThat(slot.result()).isEqualTo(128 + 1);
      assertThat(slot.errors()).contains("the terminal went away");
      guest.write(0, "to nobody");
    }
  }
}
