// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.TerminalLoan;

/** The shell with a real Gogo runtime and a real line editor, on a terminal of two pipes. */
@Timeout(60)
class ShellTest {
  /** Commands for the test; Gogo calls them by reflection. */
  public static final class Commands {
    public String hello(String name) {
      return "HELLO " + name.toUpperCase(Locale.ROOT);
    }

    public void fail() {
      throw new IllegalStateException("this failed");
    }

    public void sleep() throws InterruptedException {
      System.out.println("good night");
      Thread.sleep(600_000);
    }
  }

  /** A terminal that is lent as often as wanted. */
  private static final class Lender implements ConsoleTerminal, TerminalLoan {
    private PipedOutputStream keys;
    final List<String> said = new CopyOnWriteArrayList<>();
    private PipedInputStream input;
    private final ByteArrayOutputStream display = new ByteArrayOutputStream();
    volatile boolean closed;

    Lender() throws IOException {
      connect();
    }

    /** A pipe of its own for each visit: it breaks when the thread at its other end is gone. */
    void connect() throws IOException {
      keys = new PipedOutputStream();
      input = new PipedInputStream(keys);
    }

    synchronized String shown() {
      return display.toString(StandardCharsets.UTF_8);
    }

    void type(String text) throws IOException {
      keys.write(text.getBytes(StandardCharsets.UTF_8));
      keys.flush();
    }

    void await(String text) throws InterruptedException {
      await(text, 1);
    }

    void await(String text, int times) throws InterruptedException {
      long end = System.nanoTime() + 20_000_000_000L;
      while (shown().split(Pattern.quote(text), -1).length <= times) {
        assertThat(System.nanoTime()).as("no '%s' in %s", text, shown()).isLessThan(end);
        Thread.sleep(5);
      }
    }

    @Override
    public String vmName() {
      return "vm1";
    }

    @Override
    public void say(String line) {
      said.add(line);
    }

    @Override
    public TerminalLoan borrow() {
      closed = false;
      return this;
    }

    @Override
    public InputStream input() {
      return input;
    }

    @Override
    public OutputStream output() {
      return new OutputStream() {
        @Override
        public void write(int value) {
          write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int at, int length) {
          synchronized (Lender.this) {
            display.write(from, at, length);
          }
        }
      };
    }

    @Override
    public int columns() {
      return 100;
    }

    @Override
    public int rows() {
      return 30;
    }

    @Override
    public void onResize(Runnable action) {}

    @Override
    public void close() {
      closed = true;
    }
  }

  private final ThreadIOImpl threadIo = new ThreadIOImpl();
  private CommandProcessorImpl processor;
  private final ShellKey key = new ShellKey();
  private Lender terminal;
  private Thread thread;

  @BeforeEach
  void start() throws IOException {
    threadIo.start();
    processor = new CommandProcessorImpl(threadIo);
    Commands commands = new Commands();
    for (String name : List.of("hello", "fail", "sleep")) {
      processor.addCommand("test", commands, name);
    }
    key.setProcessor(processor);
    terminal = new Lender();
    press();
  }

  private void press() throws IOException {
    terminal.connect();
    thread = new Thread(() -> key.pressed(terminal));
    thread.start();
  }

  @AfterEach
  void stop() throws Exception {
    terminal.keys.close();
    thread.join(10_000);
    assertThat(thread.isAlive()).isFalse();
    assertThat(terminal.closed).isTrue();
    processor.stop();
    threadIo.stop();
  }

  @Test
  void saysWhereTheUserIsAndRunsCommands() throws Exception {
    terminal.await("Gogo shell beside vm1");
    terminal.await("plex86> ");
    terminal.type("test:hello world\r");
    terminal.await("HELLO WORLD\r\n");
    terminal.type("exit\r");
    thread.join(10_000);
    assertThat(terminal.closed).isTrue();
    assertThat(terminal.said).isEmpty();
  }

  @Test
  void commandThatFailsIsShownAndTheShellGoesOn() throws Exception {
    terminal.type("test:fail\r");
    terminal.await("this failed");
    terminal.type("nosuch\r");
    terminal.await("nosuch");
    terminal.type("test:hello again\r");
    terminal.await("HELLO AGAIN");
  }

  @Test
  void endOfInputGoesBack() throws Exception {
    terminal.await("plex86> ");
    terminal.type("\u0004");
    thread.join(10_000);
    assertThat(terminal.closed).isTrue();
  }

  @Test
  void interruptEndsACommandAndEmptiesALine() throws Exception {
    terminal.await("plex86> ");
    terminal.type("test:sleep\r");
    terminal.await("good night");
    terminal.type("\u0003");
    terminal.await("interrupted");
    terminal.type("test:fail");
    terminal.await("test:fail");
    terminal.type("\u0003");
    terminal.await("plex86> ", 3);
    terminal.type("test:hello you\r");
    terminal.await("HELLO YOU");
    assertThat(terminal.shown()).doesNotContain("this failed");
  }

  @Test
  void historyOutlivesTheVisit() throws Exception {
    terminal.type("test:hello once\r");
    terminal.await("HELLO ONCE");
    terminal.type("exit\r");
    thread.join(10_000);
    press();
    // Up, twice, as exit is remembered too.
    terminal.type("\u001bOA\u001bOA\r");
    terminal.await("HELLO ONCE\r\n", 2);
    terminal.type("exit\r");
  }
}
