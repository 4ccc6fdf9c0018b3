// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.exec.FrameDecoder.ProtocolException;
import org.plex86.hal.console.io.FdSink;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.io.LibC.IoError;
import org.plex86.hal.console.io.OutputPump;
import org.plex86.hal.console.io.Saved;

/**
 * The host's end of the exec port: runs one command and passes its standard input, output and error
 * and its exit status. Methods are for the slot's thread unless they say else.
 */
public final class ExecPort {
  /** The name of the port in the guest, in /sys/class/virtio-ports. */
  public static final String NAME = "org.plex86.exec";

  /** What the port wants of the channel. Any thread. */
  public interface Host {
    /** {@link #read} has bytes. */
    void inputReady();

    /** {@link #accept} takes bytes again. */
    void outputReady();

    /** The command ended, and all that it printed was written. Called once. */
    void finished(int status);

    /** Something of the host's side fails. */
    void failed(String what, IOException cause);

    /** The guest broke the protocol; what it sends from now on is dropped. */
    void broken(String how);
  }

  private static final int BUFFER = 1 << 19;
  private static final int MAX_STATUS = 255;
  private static final int STATUS_OUTPUT_FAILED = 1;
  private static final int SIGPIPE = 13;

  private final Host host;
  private final ByteBuffer command;
  private final ExecInput input;
  private final OutputPump out;
  private final OutputPump err;
  private final FrameDecoder decoder = new FrameDecoder();
  private final Events events = new Events();
  private final ByteBuffer frame = ByteBuffer.allocate(Frame.HEADER + Frame.MAX_PAYLOAD).flip();
  private final AtomicBoolean reported = new AtomicBoolean();
  private volatile boolean outputLost;
  private volatile int signal;
  private boolean runPending;
  private boolean runSent;
  private boolean deaf;
  private int status = -1;

  /**
   * A command, not started yet.
   *
   * @throws HalException the command is too long, or the host cannot serve it
   */
  public ExecPort(String command, Host host) throws HalException {
    this(command, 0, 1, 2, host);
  }

  /** Any descriptors in place of standard input, output and error; they stay their owner's. */
  ExecPort(String command, int inFd, int outFd, int errFd, Host host) throws HalException {
    this.host = host;
    byte[] text = command.getBytes(StandardCharsets.UTF_8);
    if (text.length == 0 || text.length > Frame.MAX_PAYLOAD) {
      throw new HalException(
          "the command has "
              + text.length
              + " bytes, it must have 1 to "
              + Frame.MAX_PAYLOAD
              + ": pass a longer script through standard input");
    }
    this.command = ByteBuffer.wrap(text);
    try {
      input = new ExecInput(inFd, new Input());
    } catch (IOException e) {
      throw new HalException("standard input cannot be passed on: " + e.getMessage(), e);
    }
    out =
        new OutputPump(
            "plex86-exec-out", new FdSink(outFd, "standard output"), BUFFER, new Output(true));
    err =
        new OutputPump(
            "plex86-exec-err", new FdSink(errFd, "standard error"), BUFFER, new Output(false));
  }

  /**
   * Goes on with the command of a port before this one, or, where there was none, begins. To be
   * called once, before all others, when nothing can fail any more: from now on standard input is
   * read.
   *
   * @return whether the command is done with and was reported
   */
  public boolean resume(Saved saved) {
    decoder.resume(saved.part("decoder"));
    saved.takeBytes("frame", frame);
    runPending = saved.takeFlag("run-pending");
    runSent = saved.takeFlag("run-sent");
    deaf = saved.takeFlag("deaf");
    outputLost = saved.takeFlag("output-lost");
    signal = (int) saved.takeNumber("signal", 0);
    status = (int) saved.takeNumber("status", -1);
    reported.set(saved.takeFlag("reported"));
    out.resume(saved.part("out"));
    err.resume(saved.part("err"));
    input.resume(saved.part("in"));
    if (status >= 0) {
      reportWhenWritten();
    }
    return reported.get();
  }

  /** Ends all threads; what the next port needs is saved. Standard input and output stay open. */
  public void handOver(Saved into) {
    out.stop();
    err.stop();
    input.handOver(into.part("in"));
    out.handOver(into.part("out"));
    err.handOver(into.part("err"));
    decoder.save(into.part("decoder"));
    into.putBytes("frame", frame);
    into.put("run-pending", runPending);
    into.put("run-sent", runSent);
    into.put("deaf", deaf);
    into.put("output-lost", outputLost);
    into.put("signal", (long) signal);
    into.put("status", (long) status);
    // the last: a pump's thread that came so far has reported to the slot before it ended
    into.put("reported", reported.get());
  }

  /** Takes as many of the guest's bytes as there is room for. */
  public void accept(ByteBuffer bytes) {
    if (!deaf) {
      try {
        decoder.feed(bytes, events);
      } catch (ProtocolException e) {
        deaf = true;
        host.broken("the exec agent of the guest broke the protocol: " + e.getMessage());
      }
    }
    if (deaf) {
      bytes.position(bytes.limit());
    }
  }

  /** Whether there are bytes for the guest. */
  public boolean hasBytes() {
    return frame.hasRemaining() || runPending || (runSent && (signal != 0 || input.hasFrame()));
  }

  /** Moves bytes for the guest into a buffer. */
  public void read(ByteBuffer into) {
    while (into.hasRemaining() && hasBytes()) {
      if (!frame.hasRemaining()) {
        nextFrame();
      }
      int count = Math.min(into.remaining(), frame.remaining());
      into.put(into.position(), frame, frame.position(), count);
      into.position(into.position() + count);
      frame.position(frame.position() + count);
    }
  }

  private void nextFrame() {
    if (runPending) {
      runPending = false;
      runSent = true;
      Frame.begin(frame, Frame.RUN, command.remaining()).put(command.duplicate()).flip();
    } else if (signal != 0) {
      Frame.begin(frame, Frame.SIGNAL, Integer.BYTES).putInt(signal).flip();
      signal = 0;
    } else {
      input.frame(frame);
    }
  }

  /**
   * Waits until what was accepted is written.
   *
   * @param stallNanos gives up after this time without progress
   * @param totalNanos gives up after this time
   */
  public void flush(long stallNanos, long totalNanos) throws InterruptedException {
    long start = System.nanoTime();
    out.flush(stallNanos, totalNanos);
    err.flush(stallNanos, totalNanos - (System.nanoTime() - start));
  }

  /** Ends all; a command that has ended is reported even if its output could not be written. */
  public void close() {
    input.close();
    out.close();
    err.close();
    if (status >= 0) {
      report();
    }
  }

  private void reportWhenWritten() {
    out.whenDrained(() -> err.whenDrained(this::report));
  }

  private void report() {
    if (reported.compareAndSet(false, true)) {
      boolean ofThat = status == 0 || status == 128 + SIGPIPE;
      host.finished(outputLost && ofThat ? STATUS_OUTPUT_FAILED : status);
    }
  }

  private final class Events implements FrameDecoder.Handler {
    @Override
    public void ready() {
      if (!runSent && !runPending) {
        runPending = true;
        host.inputReady();
      }
    }

    @Override
    public void output(boolean error, ByteBuffer bytes) {
      (error ? err : out).offer(bytes);
    }

    @Override
    public void window(long bytes) {
      if (runSent) {
        input.grant(bytes);
      }
    }

    @Override
    public void exited(long exitStatus) {
      deaf = true;
      status = (int) Math.min(exitStatus, MAX_STATUS);
      reportWhenWritten();
    }
  }

  private final class Input implements ExecInput.Listener {
    @Override
    public void inputReady() {
      host.inputReady();
    }

    @Override
    public void inputFailed(IOException cause) {
      host.failed("standard input cannot be read, the command sees its end", cause);
    }
  }

  private final class Output implements OutputPump.Listener {
    private final boolean standard;

    Output(boolean standard) {
      this.standard = standard;
    }

    @Override
    public void roomAgain() {
      host.outputReady();
    }

    @Override
    public void failed(IOException cause) {
      boolean readerGone = cause instanceof IoError error && error.errno() == LibC.EPIPE;
      if (!readerGone) {
        // Told before the command dies of it: with its end the machine may be gone.
        outputLost = true;
        host.failed(
            (standard ? "standard output" : "standard error")
                + " cannot be written, the command's output is lost",
            cause);
      }
      if (standard) {
        // As in a pipeline on the host: the command is to die of its reader's end. On any other
        // failure, too, as there is no way to have its write(2) fail.
        signal = SIGPIPE;
        host.inputReady();
      }
    }
  }
}
