// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Optional;

/**
 * The C library, by JNA direct mapping. Every call that can touch memory or processes carries its
 * justification and what makes it safe; nobody outside of the packages {@code memory} and {@code
 * nexus} calls these.
 *
 * <p>All constants are those of Linux on x86-64. Methods return what the C functions return, and
 * {@link #errno} is that of the calling thread's last call (JNA keeps it per thread).
 */
public final class Libc {
  public static final int EINTR = 4;
  public static final int EAGAIN = 11;
  public static final int ESRCH = 3;
  public static final int ENOMEM = 12;

  public static final int MFD_CLOEXEC = 1;
  public static final int MFD_ALLOW_SEALING = 2;
  public static final int F_DUPFD_CLOEXEC = 1030;
  public static final int F_ADD_SEALS = 1033;
  public static final int F_SEAL_SEAL = 1;
  public static final int F_SEAL_SHRINK = 2;
  public static final int F_SEAL_GROW = 4;
  public static final int FALLOC_FL_KEEP_SIZE = 1;
  public static final int FALLOC_FL_PUNCH_HOLE = 2;
  public static final int PROT_READ_WRITE = 3;
  public static final int MAP_SHARED = 1;
  public static final int O_CLOEXEC = 0x80000;
  public static final int SIGKILL = 9;
  public static final int SIGUSR1 = 10;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;

  private static final long SYS_FUTEX = 202;
  private static final long SYS_PIDFD_OPEN = 434;
  private static final long FUTEX_WAIT = 0;
  private static final long FUTEX_WAKE = 1;

  static {
    Native.register(Libc.class, NativeLibrary.getInstance("c"));
  }

  private Libc() {}

  // JUSTIFICATION: guest memory must be shared with processes that are not the JVM's threads, and
  // belong to no file system. SAFETY: takes a C string, which JNA makes and frees.
  public static native int memfd_create(String name, int flags);

  // JUSTIFICATION: a memfd is made empty. SAFETY: no memory is named.
  public static native int ftruncate(int fd, long length);

  // JUSTIFICATION: seals (nobody can shrink the memory under a mapping, which would be a SIGBUS in
  // the JVM) and descriptors above those that a child is given. SAFETY: used with F_ADD_SEALS and
  // F_DUPFD_CLOEXEC only, whose argument is an integer; a variadic integer is passed as a fixed one
  // in the x86-64 ABI.
  public static native int fcntl(int fd, int command, long argument);

  // JUSTIFICATION: gives memory back to the host at the end of a machine while views of it may
  // still
  // be reachable. SAFETY: the mapping stays valid; what is read from it is zero from then on.
  public static native int fallocate(int fd, int mode, long offset, long length);

  // JUSTIFICATION: FileChannel.map cannot map a memfd without a path and limits a map to 2 GiB.
  // SAFETY: called with address 0 and without MAP_FIXED, so that nothing existing is replaced.
  static native long mmap(
      long address, long length, int protection, int flags, int fd, long offset);

  // JUSTIFICATION: address space is given back. SAFETY: called by Mapping's cleaner only, when no
  // buffer over the range is reachable.
  static native int munmap(long address, long length);

  // JUSTIFICATION: as for every descriptor. SAFETY: see Fd, which closes once.
  static native int close(int fd);

  // JUSTIFICATION: the lifeline and the report pipe. SAFETY: two ints are written to an array of
  // two.
  static native int pipe2(int[] fds, int flags);

  // JUSTIFICATION: the report pipe; a FileInputStream over /proc/self/fd would be a second open of
  // it. SAFETY: the length is that of the array.
  static native long read(int fd, byte[] into, long length);

  // JUSTIFICATION: pause, resume, interrupt and end of the machine's processes. SAFETY: process ids
  // come from the supervisor's reports only, and are used before the supervisor, which is their
  // parent, is reaped.
  public static native int kill(int pid, int signal);

  // JUSTIFICATION: the supervisor is our child; Process would fork with the JVM's descriptors and
  // run a helper program, at a cost of milliseconds. SAFETY: the status goes to an array of one.
  public static native int waitpid(int pid, int[] status, int options);

  // JUSTIFICATION: placement of a machine's processes on one CPU. SAFETY: the mask's length is that
  // of
  // the array.
  public static native int sched_setaffinity(int pid, long size, byte[] mask);

  // JUSTIFICATION: which CPUs the monitor may use. SAFETY: the mask's length is that of the array.
  public static native int sched_getaffinity(int pid, long size, byte[] mask);

  // JUSTIFICATION: spawns without a copy of the JVM's page tables (CLONE_VFORK in glibc). SAFETY:
  // the
  // structures are made by the functions below in memory that is larger than any glibc's; the
  // strings are arrays of pointers that end with null and live in the caller until it returns.
  public static native int posix_spawn(
      int[] pid,
      String path,
      Pointer fileActions,
      Pointer attributes,
      Pointer arguments,
      Pointer environment);

  // SAFETY of the next ten: the argument is memory of STRUCT_BYTES, initialised by ..._init and
  // given
  // back by ..._destroy in a finally block.
  public static native int posix_spawn_file_actions_init(Pointer actions);

  public static native int posix_spawn_file_actions_destroy(Pointer actions);

  public static native int posix_spawn_file_actions_adddup2(Pointer actions, int fd, int newFd);

  public static native int posix_spawnattr_init(Pointer attributes);

  public static native int posix_spawnattr_destroy(Pointer attributes);

  public static native int posix_spawnattr_setflags(Pointer attributes, short flags);

  public static native int posix_spawnattr_setsigmask(Pointer attributes, Pointer set);

  public static native int posix_spawnattr_setsigdefault(Pointer attributes, Pointer set);

  public static native int sigemptyset(Pointer set);

  public static native int sigfillset(Pointer set);

  /**
   * More than the size of posix_spawn_file_actions_t (80 bytes), posix_spawnattr_t (336) and
   * sigset_t (128) of glibc on x86-64.
   */
  public static final int STRUCT_BYTES = 512;

  // JUSTIFICATION: futexes, which have no function in the C library. SAFETY: private; see below.
  private static native long syscall(
      long number, long a, long b, long c, long[] timespec, long e, long f);

  /** The error of the calling thread's last call. */
  public static int errno() {
    return Native.getLastError();
  }

  /** An error number as the C library words it. */
  public static String message(int errno) {
    return Strerror.of(errno);
  }

  /**
   * Sleeps while a word has a value.
   *
   * @param timespec seconds and nanoseconds, relative, or null to wait without end
   * @return 0 or -1; may return 0 without reason
   */
  // SAFETY: the kernel reads 4 bytes at the address, and fails with EFAULT rather than harm.
  static long futexWait(long address, int value, long[] timespec) {
    return syscall(SYS_FUTEX, address, FUTEX_WAIT, value & 0xffffffffL, timespec, 0, 0);
  }

  // SAFETY: as above; the kernel uses the address as a key only.
  static long futexWake(long address, int count) {
    return syscall(SYS_FUTEX, address, FUTEX_WAKE, count, null, 0, 0);
  }

  /** A descriptor that names a process for good, or -1. */
  public static int pidfdOpen(int pid) {
    return (int) syscall(SYS_PIDFD_OPEN, pid, 0, 0, null, 0, 0);
  }

  /** A function that only newer C libraries have. */
  public static Optional<Function> optional(String name) {
    try {
      return Optional.of(NativeLibrary.getInstance("c").getFunction(name));
    } catch (UnsatisfiedLinkError absent) {
      return Optional.empty();
    }
  }

  /** Kept apart because only errors need it. */
  private static final class Strerror {
    static {
      Native.register(Strerror.class, NativeLibrary.getInstance("c"));
    }

    // SAFETY: returns a static or thread-local C string, which JNA copies at once.
    static native String strerror(int errno);

    static String of(int errno) {
      return strerror(errno);
    }
  }
}
