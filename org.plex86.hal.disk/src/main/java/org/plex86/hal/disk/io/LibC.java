// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The few functions of the C library that images need and Java lacks, on Linux/x86-64: there
 * pointers, {@code size_t} and {@code off_t} are 64 bits wide.
 *
 * <p>JUSTIFICATION: Java has no vectored IO at a position, no locks that belong to an open file
 * rather than to the process, and no way to give back a part of a file. SAFETY: addresses come from
 * {@link IoVector} only, whose ranges are those of direct buffers that it keeps reachable.
 */
final class LibC {
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EINVAL = 22;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  static final int F_SETFD = 2;
  static final int FD_CLOEXEC = 1;

  /**
   * A lock of the open file, fcntl(2): kept by whoever holds the descriptor, and by nobody else.
   */
  static final int F_OFD_SETLK = 37;

  static final short F_RDLCK = 0;
  static final short F_WRLCK = 1;

  static final int SEEK_END = 2;
  static final int SEEK_DATA = 3;
  static final int SEEK_HOLE = 4;

  static final int FALLOC_FL_KEEP_SIZE = 1;
  static final int FALLOC_FL_PUNCH_HOLE = 2;
  static final int FALLOC_FL_ZERO_RANGE = 16;

  /** preadv2(2): what is written is on the medium when the call returns. */
  static final int RWF_DSYNC = 2;

  /** preadv2(2): only what is in the page cache; else EAGAIN. */
  static final int RWF_NOWAIT = 8;

  static {
    Native.register(LibC.class, NativeLibrary.getProcess());
  }

  private LibC() {}

  static native int fcntl(int fd, int command, ByteBuffer argument);

  static native int fcntl(int fd, int command, long argument);

  static native long preadv2(int fd, ByteBuffer vectors, int count, long offset, int flags);

  static native long pwritev2(int fd, ByteBuffer vectors, int count, long offset, int flags);

  static native long lseek(int fd, long offset, int whence);

  static native int ftruncate(int fd, long length);

  static native int fallocate(int fd, int mode, long offset, long length);

  static native int fdatasync(int fd);

  private static native String strerror(int error);

  /** The error number of this thread's last call. */
  static int errno() {
    return Native.getLastError();
  }

  /** An exception for an error number, with the C library's text alone. */
  static IOException error(int errno) {
    return errno == EOPNOTSUPP || errno == ENOSYS
        ? new NotSupportedException(strerror(errno))
        : new IOException(strerror(errno));
  }

  /** The file system or the kernel does not know what was asked for. */
  static final class NotSupportedException extends IOException {
    private static final long serialVersionUID = 1L;

    NotSupportedException(String message) {
      super(message);
    }
  }
}
