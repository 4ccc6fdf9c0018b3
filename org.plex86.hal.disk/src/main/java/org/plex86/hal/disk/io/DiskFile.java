// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * An open regular file or block device, locked: by one writer, or by any number of readers. Any
 * thread. Messages of exceptions are the host's reason alone, as the caller knows what was tried.
 */
public final class DiskFile implements AutoCloseable {
  private static final int VECTOR_BYTES = 16;
  private static final int VECTORS_MAX = 1024; // IOV_MAX
  private static final int ZERO_PIECE = 1 << 20;

  private final Path path;
  private final boolean writable;
  private final boolean device;
  private final boolean inMemory;
  private final FileChannel channel;
  private final int fd;
  private final FileSync sync;
  private final Queue<ByteBuffer> vectorPool = new ConcurrentLinkedQueue<>();
  private volatile boolean noWaitRead = true;
  private volatile boolean durableWrite = true;
  private volatile boolean zeroRange = true;
  private volatile boolean punch = true;

  private DiskFile(
      Path path,
      boolean writable,
      FileChannel channel,
      List<CompletableFuture<Integer>> untoldSyncs)
      throws IOException {
    this.path = path;
    this.writable = writable;
    this.channel = channel;
    device = !Files.isRegularFile(path) && Files.exists(path);
    fd = Descriptors.of(channel, device);
    inMemory = fileSystem(path).equals("tmpfs");
    sync = new FileSync("plex86-sync-" + path.getFileName(), this::syncNow, untoldSyncs);
  }

  private static String fileSystem(Path path) {
    try {
      return Files.getFileStore(path).type();
    } catch (IOException gone) {
      return "";
    }
  }

  /**
   * Opens a file that exists and locks it.
   *
   * @throws IOException one line for the user, with the file's name
   */
  public static DiskFile open(Path path, boolean writable) throws IOException {
    if (!Files.exists(path)) {
      throw new IOException(
          Files.isSymbolicLink(path)
              ? "'" + path + "' is a symbolic link to nowhere"
              : "there is no file '" + path + "'; plex86 disk create makes one");
    }
    if (Files.isDirectory(path)) {
      throw new IOException("'" + path + "' is a folder; give a file or a block device");
    }
    Object mode = Files.getAttribute(path, "unix:mode");
    int type = (Integer) mode & 0170000;
    if (type != 0100000 && type != 0060000) {
      throw new IOException("'" + path + "' is neither a file nor a block device");
    }
    return open(
        path,
        writable,
        writable
            ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)
            : Set.of(StandardOpenOption.READ));
  }

  /** Makes a file that must not exist and locks it. */
  public static DiskFile create(Path path) throws IOException {
    return open(
        path,
        true,
        Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW));
  }

  private static DiskFile open(Path path, boolean writable, Set<? extends OpenOption> options)
      throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(path, options);
    } catch (FileAlreadyExistsException e) {
      throw new IOException("'" + path + "' exists; give another name, or remove it", e);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no folder '" + path.toAbsolutePath().getParent() + "'", e);
    } catch (AccessDeniedException e) {
      throw new IOException(
          "'%s' cannot be opened for %s: permission denied%s"
              .formatted(
                  path,
                  writable ? "writing" : "reading",
                  writable ? "; give readonly=on if reading is enough" : ""),
          e);
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
      throw new IOException("'" + path + "' cannot be opened: " + reason, e);
    }
    try {
      DiskFile file = new DiskFile(path, writable, channel, List.of());
      file.lock();
      return file;
    } catch (IOException | RuntimeException | Error e) {
      // whatever it was, the file must not stay open
      channel.close();
      throw e;
    }
  }

  /**
   * A file that another version of this bundle has opened and locked.
   *
   * @param untoldSyncs its {@link #untoldSyncs}
   */
  public static DiskFile adopt(
      Path path,
      boolean writable,
      FileChannel channel,
      List<CompletableFuture<Integer>> untoldSyncs)
      throws IOException {
    return new DiskFile(path, writable, channel, untoldSyncs);
  }

  private void lock() throws IOException {
    // struct flock of x86-64: type, whence, 4 bytes, start, length (0: to the end), pid (0), 4
    // bytes
    ByteBuffer flock = ByteBuffer.allocateDirect(32).order(ByteOrder.nativeOrder());
    flock.putShort(0, writable ? LibC.F_WRLCK : LibC.F_RDLCK);
    LibC.fcntl(fd, LibC.F_SETFD, LibC.FD_CLOEXEC); // a child must not keep the lock
    if (LibC.fcntl(fd, LibC.F_OFD_SETLK, flock) == 0) {
      return;
    }
    int errno = LibC.errno();
    if (errno != LibC.EAGAIN && errno != LibC.EACCES) {
      throw new IOException("'" + path + "' cannot be locked: " + LibC.error(errno).getMessage());
    }
    throw new IOException(
        writable
            ? "'%s' is in use by another virtual machine or program; end that, or give readonly=on to both"
                .formatted(path)
            : "'%s' is being written by another virtual machine or program; end that first"
                .formatted(path));
  }

  /** The name that it was opened by. */
  public Path path() {
    return path;
  }

  /** What can be handed over to another version of this bundle; it holds the lock. */
  public FileChannel channel() {
    return channel;
  }

  /** Whether it was opened for writing. */
  public boolean isWritable() {
    return writable;
  }

  /** Whether it is a block device, whose size is fixed. */
  public boolean isDevice() {
    return device;
  }

  /** The size in bytes at present. */
  public long size() throws IOException {
    return check(LibC.lseek(fd, 0, LibC.SEEK_END));
  }

  /**
   * Reads a whole vector.
   *
   * @throws IOException the host's reason, or that the file ends before
   */
  public void read(long offset, IoVector into) throws IOException {
    long done = transfer(false, offset, into, 0);
    if (done < into.size()) {
      throw new IOException("the file is shorter than it was");
    }
  }

  /** Reads a vector; what is past the end of the file is zeros. */
  public void readPadded(long offset, IoVector into) throws IOException {
    long done = transfer(false, offset, into, 0);
    if (done < into.size()) {
      into.slice(done, into.size() - done).zero();
    }
  }

  /**
   * Reads a whole vector if that needs no waiting for a medium.
   *
   * @return false if it was not read, or in part only
   */
  public boolean tryRead(long offset, IoVector into) throws IOException {
    if (inMemory) {
      read(offset, into);
      return true;
    }
    if (!noWaitRead) {
      return false;
    }
    return transfer(false, offset, into, LibC.RWF_NOWAIT) == into.size();
  }

  /** Writes a whole vector. */
  public void write(long offset, IoVector from) throws IOException {
    writeAll(offset, from, 0);
  }

  /** Writes a whole vector so that it is on the medium when this returns. */
  public void writeDurably(long offset, IoVector from) throws IOException {
    if (!durableWrite) {
      writeAll(offset, from, 0);
      sync.runToTheEnd();
      return;
    }
    try {
      writeAll(offset, from, LibC.RWF_DSYNC);
    } catch (LibC.NotSupportedException e) {
      durableWrite = false; // a file system of the old kind
      writeDurably(offset, from);
    }
  }

  private void writeAll(long offset, IoVector from, int flags) throws IOException {
    if (transfer(true, offset, from, flags) < from.size()) {
      throw new IOException("the host has taken a part only");
    }
  }

  private long transfer(boolean write, long offset, IoVector vector, int flags) throws IOException {
    ByteBuffer vectors = vectorPool.poll();
    if (vectors == null) {
      vectors =
          ByteBuffer.allocateDirect(VECTORS_MAX * VECTOR_BYTES).order(ByteOrder.nativeOrder());
    }
    try {
      long done = 0;
      while (done < vector.size()) {
        int count = vector.describe(done, vectors);
        long moved =
            write
                ? LibC.pwritev2(fd, vectors, count, offset + done, flags)
                : LibC.preadv2(fd, vectors, count, offset + done, flags);
        if (moved > 0) {
          done += moved;
        } else if (moved == 0) {
          return done; // the end of the file
        } else if (LibC.errno() != LibC.EINTR) {
          int errno = LibC.errno();
          if (flags != LibC.RWF_NOWAIT) {
            throw LibC.error(errno);
          }
          noWaitRead &= errno != LibC.EOPNOTSUPP && errno != LibC.ENOSYS;
          return done;
        }
      }
      return done;
    } finally {
      vectorPool.add(vectors);
      java.lang.ref.Reference.reachabilityFence(vector);
    }
  }

  /**
   * Makes all writes that have ended durable, where there is a medium.
   *
   * @throws SuspendedException it was not waited for, after {@link #suspendSyncs}
   */
  public void sync() throws IOException {
    if (!inMemory) {
      sync.run();
    }
  }

  /** As {@link #sync}, for who holds a lock that {@link #suspendSyncs} is to free at once. */
  public void syncAside() throws IOException {
    if (!inMemory) {
      sync.runAside();
    }
  }

  private int syncNow() {
    while (LibC.fdatasync(fd) != 0) {
      if (LibC.errno() != LibC.EINTR) {
        return LibC.errno();
      }
    }
    return 0;
  }

  /**
   * Whoever waits in {@link #sync} leaves it, as the file is to be handed over; but the one that
   * makes the call to the host, see {@link #hasDetachedSync}.
   */
  public void suspendSyncs() {
    sync.suspend();
  }

  /**
   * Whether a thread is still in {@link #sync}, which it leaves with {@link SuspendedException}
   * whenever the host lets it. After {@link #suspendSyncs}.
   */
  public boolean hasDetachedSync() {
    return sync.isDetached();
  }

  /** It is not handed over after all: {@link #sync} waits again. */
  public void resumeSyncs() {
    sync.resume();
  }

  /**
   * What the next one to use the file must know: the error numbers, 0 for none, of syncs that
   * nobody has waited for. Classes of the JDK. After {@link #suspendSyncs}.
   */
  public List<CompletableFuture<Integer>> untoldSyncs() {
    return sync.untold();
  }

  /** Sets the size of a regular file; what is added reads as zeros. */
  public void truncate(long size) throws IOException {
    check(LibC.ftruncate(fd, size));
  }

  /**
   * Gives the storage of a range back to the host; the range then reads as zeros.
   *
   * @return false if the host cannot do that here, and nothing was done
   */
  public boolean punchHole(long offset, long length) throws IOException {
    punch =
        punch && fallocate(LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, offset, length);
    return punch;
  }

  /** Makes a range read as zeros, by whatever means are cheapest. */
  public void writeZeroes(long offset, long length, boolean mayPunch) throws IOException {
    if (mayPunch && punchHole(offset, length)) {
      return;
    }
    zeroRange =
        zeroRange
            && fallocate(LibC.FALLOC_FL_ZERO_RANGE | LibC.FALLOC_FL_KEEP_SIZE, offset, length);
    if (zeroRange) {
      return;
    }
    IoVector zeros =
        IoVector.of(ByteBuffer.allocateDirect((int) Math.min(ZERO_PIECE, Math.max(1, length))));
    for (long done = 0; done < length; done += zeros.size()) {
      write(offset + done, zeros.slice(0, Math.min(zeros.size(), length - done)));
    }
  }

  private boolean fallocate(int mode, long offset, long length) throws IOException {
    if (length == 0 || LibC.fallocate(fd, mode, offset, length) == 0) {
      return true;
    }
    int errno = LibC.errno();
    if (errno == LibC.EOPNOTSUPP || errno == LibC.ENOSYS || errno == LibC.EINVAL) {
      return false;
    }
    throw LibC.error(errno);
  }

  /**
   * Where the next data is, at or after an offset.
   *
   * @return -1: there is none
   */
  public long nextData(long offset) throws IOException {
    long at = LibC.lseek(fd, offset, LibC.SEEK_DATA);
    if (at >= 0) {
      return at;
    }
    final int enxio = 6;
    return LibC.errno() == enxio ? -1 : offset; // a file system without holes: all is data
  }

  /** Where the data that an offset is in ends. */
  public long nextHole(long offset) throws IOException {
    long at = LibC.lseek(fd, offset, LibC.SEEK_HOLE);
    return at >= 0 ? at : size();
  }

  /** How much of the file is data rather than holes, in bytes. */
  public long allocated() throws IOException {
    long sum = 0;
    for (long at = nextData(0); at >= 0 && at < size(); at = nextData(at)) {
      long end = nextHole(at);
      sum += end - at;
      at = end;
    }
    return sum;
  }

  private static long check(long result) throws IOException {
    if (result < 0) {
      throw LibC.error(LibC.errno());
    }
    return result;
  }

  /**
   * Closes the file, and with it the lock: at once, but where a sync goes on that nobody waits for,
   * after that, as its descriptor must not become another file's before.
   */
  @Override
  public void close() throws IOException {
    CompletableFuture<Void> idle = sync.idle();
    if (idle.isDone()) {
      channel.close();
    } else {
      var unused = idle.thenRun(this::closeLate); // which fails in no way
    }
  }

  private void closeLate() {
    try {
      channel.close();
    } catch (IOException e) {
      // what was written is durable or not by now; nobody is left to be told
    }
  }
}
