// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A pseudo-terminal with a program on it, as a user sits before it. The test holds the master's
 * side; {@code setsid -c} makes the other side the program's controlling terminal.
 */
final class Terminal implements AutoCloseable {
  private static final int O_RDWR = 2;
  private static final int O_NOCTTY = 0x100;
  private static final int O_CLOEXEC = 0x80000;
  private static final long TIOCSWINSZ = 0x5414;
  private static final int TERMIOS_BYTES = 60; // sizeof(struct termios) of glibc on x86-64
  private static final short POLLIN = 1;

  interface LibC extends Library {
    LibC C = Native.load("c", LibC.class);

    int posix_openpt(int flags);

    int grantpt(int fd);

    int unlockpt(int fd);

    String ptsname(int fd);

    int open(String path, int flags);

    long read(int fd, byte[] bytes, long count);

    long write(int fd, byte[] bytes, long count);

    int close(int fd);

    int ioctl(int fd, long request, Pointer argument);

    int tcgetattr(int fd, Pointer termios);

    int poll(Pointer fds, long count, int timeout);
  }

  private final int master;
  private final int slave;
  private final byte[] settings;
  private final Process process;
  private final StringBuffer screen = new StringBuffer();
  private final Thread reader;
  private volatile boolean closed;
  private int seen;

  Terminal(int rows, int columns, String... args) throws IOException {
    master = LibC.C.posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assertThat(master).as("posix_openpt").isNotNegative();
    assertThat(LibC.C.grantpt(master) | LibC.C.unlockpt(master)).isZero();
    String name = LibC.C.ptsname(master);
    // keeps the settings alive, to be compared after the program has ended
    slave = LibC.C.open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    settings = settings();
    resize(rows, columns);
    List<String> command = new ArrayList<>(List.of("setsid", "-w", "-c"));
    command.addAll(Plex86.command(args));
    File tty = new File(name);
    process =
        new ProcessBuilder(command)
            .redirectInput(tty)
            .redirectOutput(tty)
            .redirectError(tty)
            .start();
    reader = new Thread(this::read, "terminal");
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    byte[] buffer = new byte[4096];
    Memory poll = new Memory(8);
    while (!closed) {
      poll.setInt(0, master);
      poll.setInt(4, POLLIN);
      if (LibC.C.poll(poll, 1, 100) <= 0) {
        continue;
      }
      long count = LibC.C.read(master, buffer, buffer.length);
      if (count <= 0) {
        return;
      }
      screen.append(new String(buffer, 0, (int) count, StandardCharsets.ISO_8859_1));
    }
  }

  Process process() {
    return process;
  }

  /** The monitor's process: what the script became. */
  ProcessHandle jvm() {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants())
        .filter(p -> p.info().command().orElse("").endsWith("/java"))
        .findFirst()
        .orElseThrow();
  }

  void resize(int rows, int columns) {
    Memory size = new Memory(8);
    size.clear();
    size.setShort(0, (short) rows);
    size.setShort(2, (short) columns);
    assertThat(LibC.C.ioctl(master, TIOCSWINSZ, size)).isZero();
  }

  void type(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int done = 0;
    while (done < bytes.length) {
      // small pieces, as a terminal emulator pastes them; a full line buffer makes the write wait
      int length = Math.min(256, bytes.length - done);
      byte[] piece = Arrays.copyOfRange(bytes, done, done + length);
      long written = LibC.C.write(master, piece, length);
      assertThat(written).as("write to the terminal").isPositive();
      done += (int) written;
    }
  }

  /** Waits for text on the screen behind what was waited for before. */
  void expect(String text) throws InterruptedException {
    long end = System.nanoTime() + Plex86.PATIENCE.toNanos();
    int at = screen.indexOf(text, seen);
    while (at < 0) {
      if (System.nanoTime() > end) {
        throw new AssertionError("no '" + text + "' in:\n" + screen.substring(seen));
      }
      Thread.sleep(10);
      at = screen.indexOf(text, seen);
    }
    seen = at + text.length();
  }

  /** All that was shown. */
  String screen() {
    return screen.toString();
  }

  /** Waits for the end of the program; returns its status. */
  int await() throws InterruptedException {
    if (!process.waitFor(Plex86.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("still running; the screen shows:\n" + screen);
    }
    return process.exitValue();
  }

  /** Checks that the terminal is in the state in which the program found it. */
  void isRestored() {
    assertThat(settings()).isEqualTo(settings);
  }

  private byte[] settings() {
    Memory termios = new Memory(TERMIOS_BYTES);
    termios.clear();
    assertThat(LibC.C.tcgetattr(slave, termios)).isZero();
    return termios.getByteArray(0, TERMIOS_BYTES);
  }

  /** Takes the terminal away, as when its window is closed. */
  void hangUp() {
    closed = true;
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    LibC.C.close(slave);
    LibC.C.close(master);
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    if (!closed) {
      hangUp();
    }
  }
}
