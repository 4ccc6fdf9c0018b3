// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A program of the host whose output is read line by line, each with the time of its arrival.
 *
 * <p>Nothing that is started here stays: the program runs under timeout(1), which is told to end it
 * when the thread that started it ends, even if this JVM is killed. So the thread that starts a
 * program must outlive it. When this JVM ends in order, a shutdown hook ends what still runs.
 */
public final class ChildProcess implements AutoCloseable {
  /** A line of output. {@code nanos} is {@link System#nanoTime} at its arrival. */
  public record Line(long nanos, String text) {}

  private static final Set<ChildProcess> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> RUNNING.forEach(ChildProcess::kill), "end-children"));
  }

  private final Process process;
  private final long startNanos;
  private final List<Line> output = new ArrayList<>();
  private final List<Line> errors = new ArrayList<>();
  private final List<Thread> readers = new ArrayList<>();
  private final Consumer<Line> listener;
  private volatile long endNanos;

  private ChildProcess(Process process, long startNanos, Consumer<Line> listener) {
    this.process = process;
    this.startNanos = startNanos;
    this.listener = listener;
  }

  /** Starts {@code command} in {@code directory} with {@code input} as its standard input. */
  public static ChildProcess start(List<String> command, Path directory, Path input, Duration limit)
      throws IOException {
    return start(command, directory, input, limit, line -> {});
  }

  /** As above; {@code listener} is called for each line of standard output, on a reader thread. */
  public static ChildProcess start(
      List<String> command, Path directory, Path input, Duration limit, Consumer<Line> listener)
      throws IOException {
    return start(command, directory, ProcessBuilder.Redirect.from(input.toFile()), limit, listener);
  }

  /** As {@link #start}, but after {@code input} there may be more, until {@link #endInput}. */
  public static ChildProcess startWithOpenInput(
      List<String> command, Path directory, Path input, Duration limit, Consumer<Line> listener)
      throws IOException {
    ChildProcess child = start(command, directory, ProcessBuilder.Redirect.PIPE, limit, listener);
    OutputStream pipe = child.process.getOutputStream();
    Thread writer =
        new Thread(
            () -> {
              try {
                Files.copy(input, pipe);
                pipe.flush();
              } catch (IOException e) {
                // The program has ended, or wants no input: its status tells.
              }
            },
            "writer");
    writer.setDaemon(true);
    writer.start();
    return child;
  }

  private static ChildProcess start(
      List<String> command,
      Path directory,
      ProcessBuilder.Redirect input,
      Duration limit,
      Consumer<Line> listener)
      throws IOException {
    List<String> limited = new ArrayList<>();
    limited.addAll(List.of("setpriv", "--pdeathsig", "TERM"));
    limited.addAll(List.of("timeout", "--kill-after=10", limit.toSeconds() + "s"));
    limited.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(limited);
    builder.directory(directory.toFile());
    builder.redirectInput(input);
    long start = System.nanoTime();
    ChildProcess child = new ChildProcess(builder.start(), start, listener);
    RUNNING.add(child);
    child.read(child.process.getInputStream(), child.output, true);
    child.read(child.process.getErrorStream(), child.errors, false);
    return child;
  }

  private void read(InputStream stream, List<Line> into, boolean standard) {
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                String text;
                while ((text = lines.readLine()) != null) {
                  Line line = new Line(System.nanoTime(), text);
                  synchronized (this) {
                    into.add(line);
                    notifyAll();
                  }
                  if (standard) {
                    listener.accept(line);
                  }
                }
              } catch (IOException e) {
                // The process was killed while it wrote; what came before is kept.
                if (process.isAlive()) {
                  throw new UncheckedIOException(e);
                }
              }
            },
            "reader");
    reader.setDaemon(true);
    reader.start();
    readers.add(reader);
  }

  /** Further input of a program that was started with open input. */
  public void write(String text) throws IOException {
    OutputStream pipe = process.getOutputStream();
    pipe.write(text.getBytes(StandardCharsets.UTF_8));
    pipe.flush();
  }

  /** The end of the input of a program that was started with open input. */
  public void endInput() throws IOException {
    process.getOutputStream().close();
  }

  /** Process id of timeout(1), the parent of the program. */
  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public long startNanos() {
    return startNanos;
  }

  /** Waits until the program has ended and its output was read; returns the exit status. */
  public int await() throws InterruptedException {
    int status = process.waitFor();
    if (endNanos == 0) {
      endNanos = System.nanoTime();
    }
    RUNNING.remove(this);
    for (Thread reader : readers) {
      // An orphan may hold the pipe open; it must not hold us.
      reader.join(5_000);
    }
    return status;
  }

  /** Wall time from the start to the end as {@link #await} saw it; only after that. */
  public Duration wallTime() {
    return Duration.ofNanos(endNanos - startNanos);
  }

  /** The first line of standard output that equals {@code text}, or null if none came in time. */
  public synchronized Line awaitLine(String text, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    int seen = 0;
    while (true) {
      for (; seen < output.size(); seen++) {
        if (output.get(seen).text().strip().equals(text)) {
          return output.get(seen);
        }
      }
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0 || (!process.isAlive() && readers.stream().noneMatch(Thread::isAlive))) {
        return null;
      }
      wait(Math.min(left, 200));
    }
  }

  public synchronized List<Line> output() {
    return List.copyOf(output);
  }

  public synchronized List<Line> errors() {
    return List.copyOf(errors);
  }

  /** The last lines of standard error, or of standard output, in one line, for a message. */
  public synchronized String lastWords() {
    List<Line> from = errors.isEmpty() ? output : errors;
    List<String> last =
        from.subList(Math.max(0, from.size() - 3), from.size()).stream()
            .map(line -> line.text().strip())
            .toList();
    return last.isEmpty() ? "no output" : String.join(" | ", last);
  }

  /** Ends the program and all that it started, at once. */
  public void kill() {
    List<ProcessHandle> all = new ArrayList<>(process.toHandle().descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
    RUNNING.remove(this);
  }
}
