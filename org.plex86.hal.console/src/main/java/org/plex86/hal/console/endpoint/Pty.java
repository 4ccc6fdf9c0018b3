// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.stream.BaseStream;
import java.util.stream.Stream;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * The master side of a pseudo-terminal (pty(7)) that is raw, as the guest's own tty does it all.
 */
final class Pty {
  private static final String MULTIPLEXER = "/dev/ptmx";
  private static final int TERMIOS_BYTES = 256;
  private static final int TCSANOW = 0;
  private static final int TCIFLUSH = 0;

  // asm-generic/ioctls.h
  private static final long TIOCGPTN = 0x80045430L;
  private static final long TIOCSPTLCK = 0x40045431L;

  private final int fd;
  private final Path path;

  private Pty(int fd) throws IOException {
    this.fd = fd;
    ByteBuffer number = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
    check(LibC.ioctl(fd, TIOCGPTN, number), "its number");
    path = Path.of("/dev/pts/" + number.getInt(0));
  }

  /** Makes one that nobody has open on the other side. */
  static Pty make() throws IOException {
    int fd = LibC.open(MULTIPLEXER, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
    check(fd, MULTIPLEXER);
    boolean made = false;
    try {
      Pty pty = new Pty(fd);
      ByteBuffer lock = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
      check(LibC.ioctl(fd, TIOCSPTLCK, lock), "unlocking it");
      pty.reset();
      made = true;
      return pty;
    } finally {
      if (!made) {
        LibC.close(fd);
      }
    }
  }

  /** Goes on with one that was left by {@link #leave}. */
  static Pty adopt(BaseStream<?, ?> left) throws IOException {
    if (left instanceof Stream<?> stream && stream.findFirst().orElse(null) instanceof Integer fd) {
      return new Pty(fd);
    }
    throw new IOException("what was handed over is no pseudo-terminal");
  }

  /**
   * What is handed over: it closes the pty when it is closed, as it is to be where nobody takes it.
   */
  AutoCloseable leave() {
    return Stream.of(fd).onClose(() -> LibC.close(fd));
  }

  int fd() {
    return fd;
  }

  /** What programs open. */
  Path path() {
    return path;
  }

  /**
   * Sets raw mode, and drops what the last client has not read. For when nobody has it open: the
   * kernel tells of that only once somebody had, so it is opened here.
   */
  void reset() throws IOException {
    int other = LibC.open(path.toString(), LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC);
    check(other, path.toString());
    ByteBuffer modes = ByteBuffer.allocateDirect(TERMIOS_BYTES).order(ByteOrder.nativeOrder());
    try {
      check(LibC.tcgetattr(other, modes), "its modes");
      LibC.cfmakeraw(modes);
      check(LibC.tcsetattr(other, TCSANOW, modes), "setting its modes");
      check(LibC.tcflush(other, TCIFLUSH), "emptying it");
    } finally {
      LibC.close(other);
    }
  }

  /** As the client has set it. */
  WindowSize size() {
    return WindowSize.of(fd);
  }

  private static void check(int result, String what) throws IOException {
    if (result < 0) {
      throw LibC.error(what);
    }
  }

  void close() {
    LibC.close(fd);
  }
}
