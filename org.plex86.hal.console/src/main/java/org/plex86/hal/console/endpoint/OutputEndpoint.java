// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.ByteSink;
import org.plex86.hal.console.io.FdSink;
import org.plex86.hal.console.io.OutputPump;
import org.plex86.hal.console.io.Saved;

/** Output without input: to a file, or to the process's standard error. */
public final class OutputEndpoint implements Endpoint {
  private static final int BUFFER = 1 << 18;
  private static final int STDERR = 2;

  private static final String FILE = "file";
  private static final String PUMP = "pump";

  /** How the receiver is opened. */
  private interface Opener {
    /** Opens a file to append to, or takes it from what was handed over; null: there is none. */
    FileChannel open(Saved saved) throws IOException;
  }

  private final String what;
  private final Opener opener;
  private FileChannel file;
  private OutputPump pump;

  private OutputEndpoint(String what, Opener opener) {
    this.what = what;
    this.opener = opener;
  }

  /** Appends to a file, so that a driver that takes over goes on where the other one ended. */
  public static OutputEndpoint file(Path path) {
    return new OutputEndpoint(
        "the console's file " + path,
        saved -> {
          FileChannel open = saved.take(FILE, FileChannel.class);
          return open != null && open.isOpen()
              ? open
              : FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        });
  }

  private static ByteSink sink(FileChannel file) {
    return new ByteSink() {
      @Override
      public int write(ByteBuffer slice) throws IOException {
        return file.write(slice);
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    };
  }

  /** Writes to standard error, for the console beside a command whose output is standard output. */
  public static OutputEndpoint stderr() {
    return new OutputEndpoint("standard error", saved -> null);
  }

  @Override
  public void open(Listener listener, Saved saved) throws HalException {
    try {
      file = opener.open(saved);
      pump =
          new OutputPump(
              "plex86-console-out",
              file == null ? new FdSink(STDERR, "standard error") : sink(file),
              BUFFER,
              new OutputPump.Listener() {
                @Override
                public void roomAgain() {
                  listener.outputReady();
                }

                @Override
                public void failed(IOException cause) {
                  listener.failed(what + " cannot be written, its output is dropped", cause);
                }
              });
      pump.resume(saved.part(PUMP));
    } catch (AccessDeniedException e) {
      throw new HalException(what + " may not be written by this user; give another", e);
    } catch (NoSuchFileException e) {
      throw new HalException(what + " cannot be made: there is no such folder; give another", e);
    } catch (IOException e) {
      throw new HalException(what + " cannot be opened: " + e.getMessage() + "; give another", e);
    }
  }

  @Override
  public int write(ByteBuffer bytes) {
    return pump.offer(bytes);
  }

  @Override
  public void flush(long stallNanos, long totalNanos) throws InterruptedException {
    pump.flush(stallNanos, totalNanos);
  }

  @Override
  public void close() {
    pump.close();
  }

  @Override
  public void handOver(Saved into) {
    pump.handOver(into.part(PUMP));
    if (file != null) {
      into.put(FILE, file);
    }
  }
}
