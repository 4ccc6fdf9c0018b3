// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.BaseStream;
import java.util.stream.Stream;
import org.plex86.hal.console.io.LibC;

/**
 * A terminal in raw mode: every key comes through at once, none is a signal, nothing is echoed.
 *
 * <p>Put back by {@link #close}, and by a shutdown hook of the JVM where that comes first, which
 * covers SIGINT, SIGTERM, SIGHUP and {@code System.exit}. Only a process in the terminal's
 * foreground sets modes: one in the background would be stopped by SIGTTOU, and would spoil the
 * terminal for the one in the foreground.
 */
public final class RawMode implements AutoCloseable {
  /** struct termios of glibc has 60 bytes; the rest is there for other C libraries. */
  private static final int TERMIOS_BYTES = 256;

  private static final int LOCAL_FLAGS = 12;
  private static final int ICANON = 2;
  private static final int ECHO = 8;
  private static final int TCSANOW = 0;

  private final int fd;
  private final StdioLease lease;
  private final Thread hook = new Thread(this::restore, "plex86-terminal-restore");
  private final ByteBuffer original = termios();
  private boolean changed;
  private boolean closed;

  /**
   * Sets raw mode, now if the process is in the foreground, else as soon as {@link #refresh} finds
   * it there.
   *
   * @param lease who restores the modes: nobody does once another console has taken over
   */
  public RawMode(int fd, StdioLease lease) throws IOException {
    this.fd = fd;
    this.lease = lease;
    byte[] inherited = lease.inheritedModes();
    if (inherited.length == TERMIOS_BYTES) {
      original.put(0, inherited);
      changed = true;
    } else if (LibC.tcgetattr(fd, original) != 0) {
      throw LibC.error("tcgetattr");
    }
    Runtime.getRuntime().addShutdownHook(hook);
    refresh();
  }

  /**
   * Sets raw mode again where it is not set, as after the process was stopped and continued: the
   * user's shell has put its own modes in place then.
   */
  public synchronized void refresh() {
    if (closed || !inForeground(fd)) {
      return;
    }
    ByteBuffer now = termios();
    if (LibC.tcgetattr(fd, now) != 0 || (now.getInt(LOCAL_FLAGS) & (ICANON | ECHO)) == 0) {
      return;
    }
    original.put(0, now, 0, TERMIOS_BYTES);
    changed = true;
    byte[] modes = new byte[TERMIOS_BYTES];
    original.get(0, modes);
    lease.keepModes(modes);
    LibC.cfmakeraw(now);
    LibC.tcsetattr(fd, TCSANOW, now);
  }

  /** Whether the process may read from this terminal. */
  boolean inForeground() {
    return inForeground(fd);
  }

  /** Puts back the modes that were found. */
  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is shutting down: the hook runs or has run, and finds nothing to do.
      return;
    }
  }

  /**
   * Leaves the terminal raw for the next console of this channel.
   *
   * @return restores the modes when it is closed, as it is to be where no console takes over. An
   *     object of the JDK, since one of this class could not be handed over; it keeps this version
   *     of the bundle in memory until the next console {@linkplain #takeOver takes over}
   */
  public AutoCloseable leave() {
    return Stream.of(hook)
        .onClose(
            () -> {
              close();
              lease.release();
            });
  }

  /**
   * Takes over a terminal that another console {@linkplain #leave left} raw: that one restores
   * nothing any more. To be called when this one's modes are in place.
   */
  public static void takeOver(BaseStream<?, ?> left) {
    if (left instanceof Stream<?> stream && stream.findFirst().orElse(null) instanceof Thread old) {
      try {
        Runtime.getRuntime().removeShutdownHook(old);
      } catch (IllegalStateException e) {
        // The JVM is shutting down: the old hook finds that its console is not the current one.
        return;
      }
    }
  }

  /** Whether the process may change a terminal, or read from it, without being stopped. */
  public static boolean inForeground(int fd) {
    int group = LibC.tcgetpgrp(fd);
    // Not our controlling terminal: there is no job control for us on it.
    return group < 0 || group == LibC.getpgrp();
  }

  private synchronized void restore() {
    if (!closed) {
      closed = true;
      if (changed && lease.isCurrent() && inForeground(fd)) {
        LibC.tcsetattr(fd, TCSANOW, original);
      }
    }
  }

  private static ByteBuffer termios() {
    return ByteBuffer.allocateDirect(TERMIOS_BYTES).order(ByteOrder.nativeOrder());
  }
}
