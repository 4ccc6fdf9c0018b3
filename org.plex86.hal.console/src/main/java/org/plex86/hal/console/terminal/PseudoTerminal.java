// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import org.plex86.hal.console.io.LibC;

/**
 * Our end of a pseudo-terminal in raw mode (pty(7)), and the path of the other end. While no
 * program has that one open, ours polls as hung up.
 */
public final class PseudoTerminal implements AutoCloseable {
  /** struct termios of glibc has 60 bytes; the rest is there for other C libraries. */
  private static final int TERMIOS_BYTES = 256;

  private static final int PATH_BYTES = 256;
  private static final int TCSANOW = 0;
  private static final int TCOFLUSH = 1;

  private final int fd;

  private PseudoTerminal(int fd) {
    this.fd = fd;
  }

  /** Makes a new one, which only this user can open. */
  public static PseudoTerminal open() throws IOException {
    // Non-blocking for this descriptor only: it is shared with nobody.
    int fd = LibC.posix_openpt(LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
    if (fd < 0) {
      throw LibC.error("/dev/ptmx");
    }
    PseudoTerminal made = new PseudoTerminal(fd);
    try {
      made.setUp();
    } catch (IOException e) {
      made.close();
      throw e;
    }
    return made;
  }

  private void setUp() throws IOException {
    ByteBuffer modes = ByteBuffer.allocateDirect(TERMIOS_BYTES).order(ByteOrder.nativeOrder());
    check(LibC.grantpt(fd), "grantpt");
    check(LibC.unlockpt(fd), "unlockpt");
    check(LibC.tcgetattr(fd, modes), "tcgetattr");
    LibC.cfmakeraw(modes); // of the other end: ours has no modes (tty_ioctl(4))
    check(LibC.tcsetattr(fd, TCSANOW, modes), "tcsetattr");
    // Hung up is what was open once. Never as our controlling terminal, which would be hung up,
    // too.
    int other = LibC.open(path(), LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC);
    check(other, path());
    LibC.close(other);
  }

  /** Goes on with one that was {@linkplain #leave left}; null: there was none. */
  public static PseudoTerminal takeOver(IntStream left) {
    return left == null ? null : new PseudoTerminal(left.findFirst().orElseThrow());
  }

  /**
   * Leaves it open for the next console of this channel.
   *
   * @return closes it when it is closed, as it is to be where no console takes over; an object of
   *     the JDK, since one of this class could not be handed over
   */
  public IntStream leave() {
    return IntStream.of(fd).onClose(this::close);
  }

  /** Our end. */
  public int fd() {
    return fd;
  }

  /** Where programs find the other end. */
  public String path() throws IOException {
    byte[] name = new byte[PATH_BYTES];
    check(-LibC.ptsname_r(fd, name, name.length), "ptsname");
    return Native.toString(name);
  }

  /** Drops what the last program has not read. */
  public void dropOutput() {
    LibC.tcflush(fd, TCOFLUSH);
  }

  @Override
  public void close() {
    LibC.close(fd);
  }

  private static void check(int result, String what) throws IOException {
    if (result < 0) {
      throw LibC.error(what);
    }
  }
}
