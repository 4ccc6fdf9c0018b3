// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The {@code plex86} script at the root of the source tree, run as a user runs it. */
final class Plex86 {
  /** Far above what a run takes on a busy machine, far below the bound on all tests. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Path ROOT =
      Path.of(System.getProperty("plex86.root")).toAbsolutePath().normalize();

  /** What a run left behind. */
  static final class Result {
    private final int status;
    private final byte[] out;
    private final byte[] err;

    private Result(int status, byte[] out, byte[] err) {
      this.status = status;
      this.out = out;
      this.err = err;
    }

    /** The exit status. */
    int status() {
      return status;
    }

    /** Standard output. */
    byte[] out() {
      return out;
    }

    /** Standard error. */
    byte[] err() {
      return err;
    }

    String text() {
      return new String(out, StandardCharsets.UTF_8);
    }

    String errors() {
      return new String(err, StandardCharsets.UTF_8);
    }

    /** Checks for the end of a machine of which a part has died. */
    void isCrash() {
      assertThat(status).as(errors()).isEqualTo(4);
      assertThat(errors()).startsWith("plex86: ");
      assertThat(errors().lines()).hasSize(1);
    }

    /** Checks for a failure that is told in one line of standard error, and nothing else. */
    void isFailure(int expected, String... words) {
      assertThat(status).as(errors()).isEqualTo(expected);
      assertThat(errors()).startsWith("plex86: ").endsWith("\n").contains(words);
      assertThat(errors().lines()).hasSize(1);
      assertThat(text()).isEmpty();
    }
  }

  private Plex86() {}

  static List<String> command(String... args) {
    List<String> command = new ArrayList<>();
    command.add(ROOT.resolve("plex86").toString());
    command.addAll(List.of(args));
    return command;
  }

  static Path file(String name) {
    return ROOT.resolve(name);
  }

  /** Runs to the end, with nothing on standard input. */
  static Result run(String... args) throws IOException, InterruptedException {
    return feed(new byte[0], args);
  }

  /** Runs to the end, with these bytes on standard input. */
  static Result feed(byte[] input, String... args) throws IOException, InterruptedException {
    return finish(start(Map.of(), args), input);
  }

  /** Runs to the end in a changed environment. */
  static Result runWith(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    return finish(start(environment, args), new byte[0]);
  }

  static Process start(String... args) throws IOException {
    return start(Map.of(), args);
  }

  static Process startWith(Map<String, String> environment, String... args) throws IOException {
    return start(environment, args);
  }

  private static Process start(Map<String, String> environment, String... args) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(args));
    builder.environment().putAll(environment);
    return builder.start();
  }

  /** Waits for the end of a process that was started here. */
  static Result finish(Process process, byte[] input) throws IOException, InterruptedException {
    return finish(process, input, PATIENCE);
  }

  static Result finish(Process process, byte[] input, Duration patience)
      throws IOException, InterruptedException {
    CompletableFuture<byte[]> out = collect(process.getInputStream());
    CompletableFuture<byte[]> err = collect(process.getErrorStream());
    try (OutputStream in = process.getOutputStream()) {
      in.write(input);
    } catch (IOException e) {
      // the process ended without reading it all; its result says whether that is right
    }
    if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("still running after " + patience);
    }
    return new Result(process.exitValue(), out.join(), err.join());
  }

  private static CompletableFuture<byte[]> collect(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (stream) {
            return stream.readAllBytes();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        // not the common pool, which has one thread where there are two CPUs
        task -> new Thread(task, "reader").start());
  }

  /** Waits until the virtual machine of a process has all its processes, and returns these. */
  static List<ProcessHandle> nexusOf(Process process) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end && process.isAlive()) {
      List<ProcessHandle> all = process.toHandle().descendants().filter(Plex86::isNexus).toList();
      if (all.size() >= 2) {
        return all;
      }
      Thread.sleep(20);
    }
    throw new AssertionError("no nexus processes came up");
  }

  private static boolean isNexus(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/comm"))
          .startsWith("plex86-nexus");
    } catch (IOException e) {
      return false; // it has just ended
    }
  }

  /** Checks that none of these processes outlives its virtual machine. */
  static void areGone(List<ProcessHandle> processes) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (processes.stream().anyMatch(Plex86::isRunning) && System.nanoTime() < end) {
      Thread.sleep(20);
    }
    assertThat(processes).noneMatch(Plex86::isRunning);
  }

  /** A zombie that nobody has waited for yet is none that runs. */
  private static boolean isRunning(ProcessHandle process) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
      return lines.noneMatch(line -> line.startsWith("State:") && line.contains("Z"));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }
}
