// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.tap;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The few functions of the C library that a tap needs and Java lacks, on Linux/x86-64.
 *
 * <p>JUSTIFICATION: Java has no ioctl, and no wait for a device that can be ended. SAFETY: all
 * buffers are direct ones that start at position 0, and no length is more than the buffer's.
 */
final class LibC {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int EINVAL = 22;

  static final int O_RDWR = 2;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x80000;

  static final short POLLIN = 1;
  static final short POLLOUT = 4;

  static {
    Native.register(LibC.class, NativeLibrary.getProcess());
  }

  private LibC() {}

  static native int open(String path, int flags);

  static native int close(int fd);

  static native int ioctl(int fd, long request, ByteBuffer argument);

  /** For requests whose argument is a number. */
  static native int ioctl(int fd, long request, long argument);

  static native long read(int fd, ByteBuffer into, long count);

  static native long write(int fd, ByteBuffer from, long count);

  static native int poll(ByteBuffer fds, long count, int timeoutMillis);

  static native int eventfd(int value, int flags);

  private static native String strerror(int error);

  static int errno() {
    return Native.getLastError();
  }

  static String message(int error) {
    return strerror(error);
  }

  static IOException error(String what) {
    return new IOException(what + ": " + strerror(errno()));
  }
}
