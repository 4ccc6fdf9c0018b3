// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Supplier;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.EscapeHandler;
import org.plex86.hal.console.TerminalLoan;
import org.plex86.hal.console.io.ByteSink;
import org.plex86.hal.console.io.FdReader;
import org.plex86.hal.console.io.Saved;

/**
 * What the user does at the terminal: text goes to the guest or to whom the terminal is lent, keys
 * behind Ctrl-A to their handlers. Its handler methods run on the reader's thread.
 */
public final class TerminalFront implements FdReader.Handler {
  /** The guest's side of the terminal. */
  public interface Guest {
    /** How many more bytes of input can be held for the guest. */
    int room();

    /** Input for the guest, not more than {@link #room}. */
    void input(ByteBuffer bytes);

    /** A line of the host's for the display. */
    void show(String line);

    /** From now on the guest's output is held back. */
    void holdOutput() throws InterruptedException;

    /** The guest's output flows again. */
    void releaseOutput();

    /** The terminal has another size. */
    void resized(WindowSize size);

    /** There is room for input again that there was none for. */
    void inputTaken();

    /** The terminal is gone. */
    void gone(IOException cause);
  }

  /** How long the holder of a loan has to put the terminal in order. */
  private static final long RETURN_MILLIS = 500;

  private final String vmName;
  private final EscapeRegistry escapes;
  private final Guest guest;
  private final Supplier<WindowSize> currentSize;
  private final RawMode raw;
  private final Supplier<ByteSink> displays;
  private final EscapeFilter filter = new EscapeFilter();
  private final Typed typed = new Typed();
  private final HandlerThreads handlers = new HandlerThreads();
  private volatile WindowSize size;
  private volatile Loan loan;
  private volatile boolean closed;

  /**
   * The front of a terminal.
   *
   * @param currentSize asks the terminal for its size
   * @param displays makes sinks that write to the terminal
   */
  public TerminalFront(
      String vmName,
      EscapeRegistry escapes,
      Guest guest,
      RawMode raw,
      Supplier<WindowSize> currentSize,
      Supplier<ByteSink> displays) {
    this.vmName = vmName;
    this.escapes = escapes;
    this.guest = guest;
    this.raw = raw;
    this.currentSize = currentSize;
    this.displays = displays;
    this.size = currentSize.get();
  }

  /** Goes on where another front of this terminal was. */
  public void resume(Saved saved) {
    filter.resume(saved.takeFlag("escaped"));
  }

  /** To be called when nothing is read from the terminal any more. */
  public void save(Saved into) {
    into.put("escaped", filter.isEscaped());
  }

  WindowSize size() {
    return size;
  }

  /**
   * Ends the loan there may be. Its holder is not interrupted: what it does may be the very reason,
   * such as a change of this console's driver by a command of the shell.
   */
  public void close() {
    closed = true;
    Loan last = loan;
    if (last != null) {
      endLoan(last);
    }
  }

  @Override
  public int room() {
    if (!raw.inForeground()) {
      // Reading in the background would have SIGTTIN stop this process, and with it the machine.
      return 0;
    }
    Loan current = loan;
    return current != null ? current.room() : guest.room();
  }

  @Override
  public void bytes(ByteBuffer bytes) {
    filter.feed(bytes, typed);
  }

  @Override
  public void ended(IOException cause) {
    guest.gone(cause);
  }

  @Override
  public void tick() {
    raw.refresh();
    WindowSize now = currentSize.get();
    if (!now.equals(size)) {
      size = now;
      guest.resized(now);
      Loan current = loan;
      if (current != null) {
        current.resized();
      }
    }
  }

  void inputTaken() {
    guest.inputTaken();
  }

  private synchronized TerminalLoan borrow(char key) {
    if (loan != null || closed) {
      throw new IllegalStateException(
          closed ? "the console is closed" : "the terminal is lent already");
    }
    try {
      guest.holdOutput();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while taking the terminal", e);
    }
    loan = new Loan(key, this, displays.get());
    return loan;
  }

  /** Ends a loan, if it has not ended. */
  synchronized void takeBack(Loan ending) {
    if (loan == ending) {
      // before the last line is shown: a key that is pressed upon it is not to be lost
      handlers.finishing(ending.key);
      loan = null;
      ending.end("[plex86: back at the console of " + vmName + "]");
      guest.releaseOutput();
      guest.inputTaken();
    }
  }

  /**
   * Asks for a loan back, and takes it from a holder that does not give it.
   *
   * @return whether it had to be taken
   */
  private boolean endLoan(Loan ending) {
    try {
      if (ending.askBack(RETURN_MILLIS)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    takeBack(ending);
    return true;
  }

  private final class Typed implements EscapeFilter.Target {
    @Override
    public void data(ByteBuffer bytes) {
      Loan current = loan;
      if (current != null) {
        current.type(bytes);
      } else {
        guest.input(bytes);
      }
    }

    @Override
    public void key(char key) {
      Loan current = loan;
      if (current != null && current.key == key) {
        if (endLoan(current)) {
          handlers.interrupt(key);
        }
        return;
      }
      if (key == 'h' || key == '?') {
        help();
        return;
      }
      Optional<EscapeHandler> handler = escapes.find(key);
      if (handler.isEmpty()) {
        say("there is nothing behind Ctrl-A and this key; Ctrl-A h lists the keys");
        return;
      }
      EscapeHandler found = handler.get();
      handlers.press(key, () -> call(found, key));
    }

    private void help() {
      escapes.help().forEach(this::say);
      say("Ctrl-A h  this help");
      say("Ctrl-A Ctrl-A  sends one Ctrl-A");
    }

    private void say(String line) {
      Loan current = loan;
      if (current == null) {
        guest.show(line);
        return;
      }
      try {
        current.output().write((line + "\r\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
      } catch (IOException e) {
        // The terminal is going away or going back: the line has lost its reader.
        return;
      }
    }

    private void call(EscapeHandler handler, char key) {
      try {
        handler.pressed(new Terminal(key));
      } catch (RuntimeException e) {
        // A handler is another bundle's code: its failure is shown, the console goes on.
        say("Ctrl-A " + key + " failed: " + e);
      }
    }
  }

  private final class Terminal implements ConsoleTerminal {
    private final char key;

    Terminal(char key) {
      this.key = key;
    }

    @Override
    public String vmName() {
      return vmName;
    }

    @Override
    public void say(String line) {
      guest.show(line);
    }

    @Override
    public TerminalLoan borrow() {
      return TerminalFront.this.borrow(key);
    }
  }
}
