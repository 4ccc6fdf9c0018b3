// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The few functions of the C library that the console needs and Java lacks, on Linux/x86-64: there
 * {@code size_t}, {@code nfds_t} and {@code unsigned long} are 64 bits wide.
 *
 * <p>JUSTIFICATION: Java can neither set terminal modes nor wait for input so that the wait can be
 * ended. SAFETY: all buffers are direct ones, their address is that of their first byte whatever
 * their position, so callers pass slices, and a length that is not more than the slice's.
 */
public final class LibC {
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int EAGAIN = 11;
  public static final int EPIPE = 32;

  public static final short POLLIN = 1;
  public static final short POLLOUT = 4;
  public static final short POLLHUP = 0x10;

  public static final int O_RDWR = 2;
  public static final int O_NOCTTY = 0x100;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_CLOEXEC = 0x80000;

  static final int EFD_CLOEXEC = 0x80000;
  static final int EFD_NONBLOCK = 0x800;

  static {
    Native.register(LibC.class, NativeLibrary.getProcess());
  }

  private LibC() {}

  public static native int poll(ByteBuffer fds, long count, int timeoutMillis);

  public static native long read(int fd, ByteBuffer into, long count);

  public static native long write(int fd, ByteBuffer from, long count);

  public static native int close(int fd);

  public static native int eventfd(int value, int flags);

  public static native int open(String path, int flags);

  public static native int posix_openpt(int flags);

  public static native int grantpt(int fd);

  public static native int unlockpt(int fd);

  /** Returns an error number, or 0. */
  public static native int ptsname_r(int fd, byte[] name, long size);

  public static native int isatty(int fd);

  public static native int tcflush(int fd, int queue);

  public static native int tcgetattr(int fd, ByteBuffer termios);

  public static native int tcsetattr(int fd, int when, ByteBuffer termios);

  public static native void cfmakeraw(ByteBuffer termios);

  public static native int ioctl(int fd, long request, ByteBuffer argument);

  public static native int tcgetpgrp(int fd);

  public static native int getpgrp();

  private static native String strerror(int error);

  /** The error number of this thread's last call. */
  public static int errno() {
    return Native.getLastError();
  }

  /** An exception for this thread's last call. */
  public static IoError error(String what) {
    int error = errno();
    return new IoError(what + ": " + strerror(error), error);
  }

  /** A failed system call. */
  public static final class IoError extends IOException {
    private static final long serialVersionUID = 1L;
    private final int errno;

    IoError(String message, int errno) {
      super(message);
      this.errno = errno;
    }

    /** The error number, such as {@link LibC#EPIPE}. */
    public int errno() {
      return errno;
    }
  }
}
