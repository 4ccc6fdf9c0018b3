// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** A file descriptor that is closed once. Any thread. */
public final class Fd implements AutoCloseable {
  private final AtomicInteger fd;

  private Fd(int fd) {
    this.fd = new AtomicInteger(fd);
  }

  /**
   * An anonymous file in memory of a size that nobody can change any more.
   *
   * @param name shows in /proc/PID/maps
   * @throws IOException the host has no such memory; the message says so
   */
  public static Fd sealedMemory(String name, long bytes) throws IOException {
    Fd memory =
        new Fd(
            check(
                Libc.memfd_create(name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING),
                "memfd_create"));
    try {
      check(Libc.ftruncate(memory.get(), bytes), "no memory for " + name + ": ftruncate");
      int seals = Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL;
      check(Libc.fcntl(memory.get(), Libc.F_ADD_SEALS, seals), "fcntl(F_ADD_SEALS)");
      return memory;
    } catch (IOException e) {
      memory.close();
      throw e;
    }
  }

  /** A pipe: the end to read from and the end to write to, both closed on exec. */
  public static Fd[] pipe() throws IOException {
    int[] ends = new int[2];
    check(Libc.pipe2(ends, Libc.O_CLOEXEC), "pipe2");
    return new Fd[] {new Fd(ends[0]), new Fd(ends[1])};
  }

  /** Another descriptor of the same file, not less than {@code least}, closed on exec. */
  public static Fd duplicate(int fd, int least) throws IOException {
    return new Fd(check(Libc.fcntl(fd, Libc.F_DUPFD_CLOEXEC, least), "fcntl(F_DUPFD_CLOEXEC)"));
  }

  /** The number; -1 when it was closed. */
  public int get() {
    return fd.get();
  }

  /**
   * Reads what is there, waiting for at least one byte.
   *
   * @return the number of bytes, 0 at the end
   */
  public int read(byte[] into) throws IOException {
    for (; ; ) {
      long n = Libc.read(get(), into, into.length);
      if (n >= 0) {
        return (int) n;
      }
      if (Libc.errno() != Libc.EINTR) {
        throw new IOException("read: " + Libc.message(Libc.errno()));
      }
    }
  }

  /** Gives the pages of a file in memory back to the host; mappings stay valid and read as zero. */
  public void punch(long bytes) {
    // A failure costs memory until the last mapping goes, no more.
    Libc.fallocate(get(), Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, 0, bytes);
  }

  @Override
  public void close() {
    int n = fd.getAndSet(-1);
    if (n >= 0) {
      Libc.close(n);
    }
  }

  private static int check(int result, String what) throws IOException {
    if (result < 0) {
      throw new IOException(what + ": " + Libc.message(Libc.errno()));
    }
    return result;
  }
}
