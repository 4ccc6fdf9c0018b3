// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What programs of a guest may rely on: signals, faults, memory, threads, the FPU, ptrace, timers,
 * swapping. The same program runs natively on the host as well: what it expects and does not find
 * there is no right expectation.
 */
class CorrectnessIT {
  private static final Path PROGRAM = Plex86.file("org.plex86.launcher.itest/target/native/checks");

  private static final String[] GROUPS = {
    "signals",
    "frames",
    "faults",
    "traps",
    "memory",
    "maps",
    "userfault",
    "threads",
    "futexes",
    "fpu",
    "trace",
    "debug",
    "clocks",
    "timers",
    "processes",
    "filters",
    "attacks"
  };

  /** For all of a guest's checks, which take a quiet machine a sixth of it. */
  private static final Duration PATIENCE = Duration.ofSeconds(150);

  private static final double MOST_PPM = 50;

  static List<String> modes() {
    return IsolationModes.ALL;
  }

  @TestFactory
  Stream<DynamicTest> checksInAGuest() {
    return modes().stream().flatMap(mode -> inGuest(mode, List.of(), "", GROUPS));
  }

  @TestFactory
  Stream<DynamicTest> checksInAGuestOfLittleMemory(@TempDir Path folder) throws Exception {
    Path disk = folder.resolve("swap.img");
    assertThat(Plex86.run("disk", "create", disk.toString(), "128M").status()).isZero();
    List<String> options = List.of("--memory", "64M", "--disk", "file=" + disk);
    return modes().stream()
        .flatMap(mode -> inGuest(mode, options, "mkswap /dev/vda >/dev/null; ", "pressure"));
  }

  @TestFactory
  Stream<DynamicTest> checksOnTheHost() throws Exception {
    List<String> command = new ArrayList<>(List.of(PROGRAM.toString(), "native"));
    Collections.addAll(command, GROUPS);
    Process process;
    try {
      process = new ProcessBuilder(command).start();
    } catch (IOException e) {
      return abort("this host runs no i386 programs: " + e.getMessage());
    }
    return new Checks("native", Plex86.finish(process, new byte[0], PATIENCE)).tests();
  }

  /** The guest's clock against the host's, by the quickest of many readings at either end. */
  @ParameterizedTest(name = "{0}: over some seconds less than 50 ppm")
  @MethodSource("modes")
  void clockKeepsTheHostsPace(String mode) throws Exception {
    Process process =
        Plex86.start("run", "--isolation", mode, "--exec", receive() + "/tmp/checks - --clock");
    try (ClockReader clock = new ClockReader(process)) {
      process.getOutputStream().write(Files.readAllBytes(PROGRAM));
      ClockReader.Reading first = clock.best(100);
      ClockReader.Reading last = clock.best(1);
      long end = System.nanoTime() + Duration.ofSeconds(25).toNanos();
      // until what a reading may be off by is a fifth of what the clock may
      while (System.nanoTime() < end
          && (last.since(first) < Duration.ofSeconds(5).toNanos()
              || last.ppmOfDoubt(first) > MOST_PPM / 5)) {
        Thread.sleep(500);
        last = clock.best(100);
      }
      assertThat(last.ppmOfDoubt(first)).as("precision, ppm").isLessThan(MOST_PPM);
      assertThat(last.ppm(first)).as("drift, ppm").isBetween(-MOST_PPM, MOST_PPM);
    }
  }

  private static Stream<DynamicTest> inGuest(
      String mode, List<String> options, String before, String... groups) {
    List<String> arguments =
        new ArrayList<>(List.of("run", "--isolation", mode, "--timeout", "140"));
    arguments.addAll(options);
    arguments.add("--exec");
    arguments.add(receive() + before + "exec /tmp/checks " + mode + " " + String.join(" ", groups));
    try {
      Process process = Plex86.start(arguments.toArray(String[]::new));
      return new Checks(mode, Plex86.finish(process, Files.readAllBytes(PROGRAM), PATIENCE))
          .tests();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  /** Exactly the program's bytes of the standard input; what follows is for the program. */
  private static String receive() {
    try {
      return "dd of=/tmp/checks bs=%d count=1 iflag=fullblock 2>/dev/null; chmod 755 /tmp/checks; "
          .formatted(Files.size(PROGRAM));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
