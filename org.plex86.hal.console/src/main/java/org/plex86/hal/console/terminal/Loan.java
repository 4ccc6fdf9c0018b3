// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.plex86.hal.console.TerminalLoan;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.ByteSink;

/** A terminal that is lent to a handler. */
final class Loan implements TerminalLoan {
  private static final int INPUT_BYTES = 1 << 16;

  final char key;
  private final TerminalFront front;
  private final ByteSink display;
  private final ByteRing typed = new ByteRing(INPUT_BYTES);
  private final Input input = new Input();
  private final Output output = new Output();
  private volatile boolean inputEnded;
  private volatile boolean ended;
  private volatile Runnable onResize = () -> {};

  Loan(char key, TerminalFront front, ByteSink display) {
    this.key = key;
    this.front = front;
    this.display = display;
  }

  int room() {
    return typed.free();
  }

  /** What the user typed; not more than there is room for. */
  synchronized void type(ByteBuffer bytes) {
    typed.put(bytes);
    notifyAll();
  }

  void resized() {
    onResize.run();
  }

  /**
   * Ends the input, so that the holder leaves the terminal as it found it and closes the loan.
   *
   * @return whether it did so in time
   */
  synchronized boolean askBack(long millis) throws InterruptedException {
    inputEnded = true;
    notifyAll();
    long end = System.nanoTime() + millis * 1_000_000;
    for (long left; !ended && (left = end - System.nanoTime()) > 0; ) {
      wait(left / 1_000_000 + 1);
    }
    return ended;
  }

  /** Ends input and output, with a last line that is shown as far as the terminal takes it. */
  synchronized void end(String line) {
    inputEnded = true;
    ended = true;
    notifyAll();
    byte[] text = ("\r\n" + line + "\r\n").getBytes(StandardCharsets.UTF_8);
    try {
      display.write(ByteBuffer.allocateDirect(text.length).put(0, text));
    } catch (IOException e) {
      // The terminal is gone; the reader of its input sees that, too, and ends the machine.
      return;
    }
  }

  @Override
  public InputStream input() {
    return input;
  }

  @Override
  public OutputStream output() {
    return output;
  }

  @Override
  public int columns() {
    return front.size().columns();
  }

  @Override
  public int rows() {
    return front.size().rows();
  }

  @Override
  public void onResize(Runnable action) {
    onResize = action;
  }

  @Override
  public void close() {
    front.takeBack(this);
  }

  private synchronized int take(ByteBuffer into) throws IOException {
    while (typed.size() == 0 && !inputEnded) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while waiting for the terminal", e);
      }
    }
    return inputEnded ? -1 : typed.take(into);
  }

  private final class Input extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
      Objects.checkFromIndexSize(at, length, into.length);
      if (length == 0) {
        return 0;
      }
      int count = take(ByteBuffer.wrap(into, at, length));
      front.inputTaken();
      return count;
    }

    @Override
    public int available() {
      return inputEnded ? 0 : typed.size();
    }
  }

  private final class Output extends OutputStream {
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(4096);

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] from, int at, int length) throws IOException {
      Objects.checkFromIndexSize(at, length, from.length);
      for (int done = 0; done < length; ) {
        int part = Math.min(length - done, buffer.capacity());
        buffer.put(0, from, at + done, part);
        for (int sent = 0; sent < part; ) {
          if (ended) {
            throw new IOException("the terminal went back to the guest");
          }
          sent += display.write(buffer.slice(sent, part - sent));
        }
        done += part;
      }
    }
  }
}
