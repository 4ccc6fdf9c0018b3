// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.BaseStream;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.FdReader;
import org.plex86.hal.console.io.FdSink;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.io.LibC.IoError;
import org.plex86.hal.console.io.OutputPump;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.EscapeRegistry;
import org.plex86.hal.console.terminal.RawMode;
import org.plex86.hal.console.terminal.StdioLease;
import org.plex86.hal.console.terminal.TerminalFront;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * The process's standard input and output. A terminal as input is set to raw mode and has keys
 * behind Ctrl-A; from anything else the bytes go to the guest as they are, and at their end the
 * guest goes on without input.
 */
public final class StdioEndpoint implements Endpoint {
  /** Exit status of a process that SIGHUP ended, as shells count it. */
  private static final int STATUS_HANGUP = 128 + 1;

  /** Exit status of a process that SIGPIPE ended. */
  private static final int STATUS_PIPE = 128 + 13;

  private static final long LAST_LINE_NANOS = 200_000_000;
  private static final int OUTPUT_BUFFER = 1 << 18;

  /**
   * Large for a terminal: beyond it nothing more is read, and then not even Ctrl-A x is seen, which
   * a paste to a guest that reads nothing must not bring about.
   */
  private static final int TERMINAL_INPUT_BUFFER = 1 << 20;

  private static final int INPUT_BUFFER = 1 << 16;

  /** How often the window's size is looked at; also how soon raw mode comes back after fg. */
  private static final int TICK_MILLIS = 200;

  private final String vmName;
  private final String channelName;
  private final EscapeRegistry escapes;
  private final int inputFd;
  private final int outputFd;
  private boolean terminal;
  private int sizeFd = -1;
  private StdioLease lease;
  private RawMode raw;
  private OutputPump pump;
  private ByteRing input;
  private FdReader reader;
  private TerminalFront front;
  private Listener listener;

  /** Whether the guest's last output was not the end of a line. */
  private volatile boolean lineOpen;

  /** Whether there will be no more input. */
  private volatile boolean inputEnded;

  /** Standard input and output. */
  public StdioEndpoint(String vmName, String channelName, EscapeRegistry escapes) {
    this(vmName, channelName, escapes, 0, 1);
  }

  /** Any two descriptors in their place; they stay their owner's. */
  StdioEndpoint(
      String vmName, String channelName, EscapeRegistry escapes, int inputFd, int outputFd) {
    this.vmName = vmName;
    this.channelName = channelName;
    this.escapes = escapes;
    this.inputFd = inputFd;
    this.outputFd = outputFd;
  }

  @Override
  public void open(Listener listener, Saved saved) throws HalException {
    this.listener = listener;
    terminal = LibC.isatty(inputFd) == 1;
    sizeFd = LibC.isatty(outputFd) == 1 ? outputFd : inputFd;
    lease = StdioLease.take(vmName, channelName);
    try {
      input = new ByteRing(terminal ? TERMINAL_INPUT_BUFFER : INPUT_BUFFER);
      if (terminal) {
        raw = new RawMode(inputFd, lease);
      }
      pump = new OutputPump("plex86-console-out", sink(), OUTPUT_BUFFER, new Output());
      reader =
          new FdReader(
              "plex86-console-in",
              inputFd,
              terminal,
              terminal ? TICK_MILLIS : -1,
              terminal ? terminalFront() : new PlainInput());
      resume(saved);
    } catch (IOException e) {
      close();
      throw new HalException("the terminal cannot be used as a console: " + e.getMessage(), e);
    }
  }

  /** Nothing can fail any more: from now on bytes are read and written. */
  private void resume(Saved saved) {
    input.put(ByteBuffer.wrap(saved.takeBytes("input")));
    inputEnded = saved.takeFlag("input-ended");
    lineOpen = saved.takeFlag("line-open");
    pump.resume(saved.part("pump"));
    if (front != null) {
      front.resume(saved);
      RawMode.takeOver(saved.take("terminal", BaseStream.class));
    }
    if (!inputEnded) {
      reader.start();
    }
  }

  @Override
  public void handOver(Saved into) {
    reader.close();
    if (front != null) {
      front.close();
      front.save(into);
    }
    pump.handOver(into.part("pump"));
    ByteBuffer left = ByteBuffer.allocate(input.size());
    input.take(left);
    into.putBytes("input", left.flip());
    into.put("input-ended", inputEnded);
    into.put("line-open", lineOpen);
    if (raw != null) {
      into.put("terminal", raw.leave());
    } else {
      lease.release();
    }
  }

  private TerminalFront terminalFront() {
    front =
        new TerminalFront(
            vmName, escapes, new Guest(), raw, () -> WindowSize.of(sizeFd), this::sink);
    return front;
  }

  private FdSink sink() {
    return new FdSink(outputFd, "standard output");
  }

  @Override
  public int write(ByteBuffer bytes) {
    int count = pump.offer(bytes);
    if (count > 0) {
      lineOpen = bytes.get(bytes.position() - 1) != '\n';
    }
    return count;
  }

  @Override
  public boolean isRaw() {
    return terminal;
  }

  @Override
  public int read(ByteBuffer into) {
    int count = input.take(into);
    if (count > 0) {
      reader.roomAgain();
    }
    return count;
  }

  @Override
  public int available() {
    return input.size();
  }

  @Override
  public WindowSize size() {
    return LibC.isatty(sizeFd) == 1 ? WindowSize.of(sizeFd) : WindowSize.UNKNOWN;
  }

  @Override
  public void flush(long stallNanos, long totalNanos) throws InterruptedException {
    if (front != null) {
      // What a loan holds back is to be seen before the end.
      front.close();
    }
    pump.flush(stallNanos, totalNanos);
  }

  /** The user's shell starts its prompt where the cursor is. */
  private void endLine() {
    if (terminal && lineOpen) {
      lineOpen = false;
      pump.offer(ByteBuffer.wrap("\r\n".getBytes(StandardCharsets.US_ASCII)));
      try {
        pump.flush(LAST_LINE_NANOS, LAST_LINE_NANOS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** In the reverse order of opening; safe after an {@link #open} that failed half-way. */
  @Override
  public void close() {
    if (reader != null) {
      reader.close();
    }
    if (front != null) {
      front.close();
    }
    if (pump != null) {
      endLine();
      pump.close();
    }
    if (raw != null) {
      raw.close();
    }
    lease.release();
  }

  /** Shows a line of the host's, on a line of its own. */
  private void show(String line) {
    String end = terminal ? "\r\n" : "\n";
    String text = (lineOpen ? end : "") + "[plex86: " + line + "]" + end;
    lineOpen = false;
    pump.offer(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private final class Output implements OutputPump.Listener {
    @Override
    public void roomAgain() {
      listener.outputReady();
    }

    @Override
    public void failed(IOException cause) {
      if (cause instanceof IoError error && error.errno() == LibC.EPIPE) {
        listener.gone("nobody reads the console's output any more", STATUS_PIPE);
      } else if (cause instanceof IoError error && error.errno() == LibC.EIO) {
        listener.gone("the terminal went away", STATUS_HANGUP);
      } else {
        listener.failed("the console cannot be written, its output is dropped", cause);
      }
    }
  }

  /** Input that is no terminal. */
  private final class PlainInput implements FdReader.Handler {
    @Override
    public int room() {
      return input.free();
    }

    @Override
    public void bytes(ByteBuffer bytes) {
      input.put(bytes);
      listener.inputReady();
    }

    @Override
    public void ended(IOException cause) {
      inputEnded = true;
      if (cause != null) {
        listener.failed("standard input cannot be read, the console has none", cause);
      }
    }
  }

  private final class Guest implements TerminalFront.Guest {
    @Override
    public int room() {
      return input.free();
    }

    @Override
    public void input(ByteBuffer bytes) {
      input.put(bytes);
      listener.inputReady();
    }

    @Override
    public void show(String line) {
      StdioEndpoint.this.show(line);
    }

    @Override
    public void holdOutput() throws InterruptedException {
      pump.pause();
    }

    @Override
    public void releaseOutput() {
      pump.resume();
    }

    @Override
    public void resized(WindowSize size) {
      listener.resized(size);
    }

    @Override
    public void inputTaken() {
      reader.roomAgain();
    }

    @Override
    public void gone(IOException cause) {
      listener.gone("the terminal went away", STATUS_HANGUP);
    }
  }
}
