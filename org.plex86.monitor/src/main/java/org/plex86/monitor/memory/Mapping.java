// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory of a descriptor, mapped shared once, seen through direct buffers.
 *
 * <p>A buffer holds 2 GiB less 1 byte at most, so there is a window at each GiB, as long as a
 * buffer can be: windows overlap, and no range of less than a GiB is ever split.
 *
 * <p>The mapping ends when neither a window nor any view of one is reachable, and not before: a
 * view keeps its root buffer alive, and the last root's cleaner unmaps. So no use after the end of
 * a machine, by whichever bundle, can crash the JVM.
 */
public final class Mapping {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final int WINDOW_SHIFT = 30;

  private final ByteBuffer[] windows;
  private final long address;
  private final long size;

  /**
   * Maps a descriptor from its start.
   *
   * @param size in bytes, 1 to 2^32
   */
  public Mapping(Fd fd, long size) throws IOException {
    this.size = size;
    address = Libc.mmap(0, size, Libc.PROT_READ_WRITE, Libc.MAP_SHARED, fd.get(), 0);
    if (address == -1) {
      throw new IOException(
          "cannot map " + (size >> 10) + " KiB of memory: " + Libc.message(Libc.errno()));
    }
    windows = new ByteBuffer[(int) ((size - 1) >> WINDOW_SHIFT) + 1];
    Unmap unmap = new Unmap(address, size, new AtomicInteger(windows.length));
    for (int i = 0; i < windows.length; i++) {
      long start = (long) i << WINDOW_SHIFT;
      int length = (int) Math.min(size - start, Integer.MAX_VALUE);
      // JUSTIFICATION: a buffer gives bounds checks and VarHandles without a call. SAFETY: the
      // range
      // was mapped above, and stays so while any window is reachable.
      windows[i] = new Pointer(address).getByteBuffer(start, length).order(ByteOrder.LITTLE_ENDIAN);
      CLEANER.register(windows[i], unmap);
    }
  }

  /** The size in bytes. */
  public long size() {
    return size;
  }

  /**
   * The window that holds an offset: shared, little-endian, position 0. Callers use absolute access
   * or take a view.
   *
   * @throws IndexOutOfBoundsException there is no such offset
   */
  public ByteBuffer window(long offset) {
    if (offset < 0 || offset >= size) {
      throw new IndexOutOfBoundsException("offset " + offset + " of " + size);
    }
    return windows[(int) (offset >>> WINDOW_SHIFT)];
  }

  /** The position of an offset in its window. */
  public static int position(long offset) {
    return (int) (offset & ((1L << WINDOW_SHIFT) - 1));
  }

  /**
   * Sleeps while the word at an offset has a value; may return without reason.
   *
   * @param offset in bytes, a multiple of 4
   * @param nanos how long at most; negative: without end
   * @return whether it slept and was woken
   */
  public boolean futexWait(int offset, int value, long nanos) {
    long[] timespec = nanos < 0 ? null : new long[] {nanos / 1_000_000_000, nanos % 1_000_000_000};
    try {
      return Libc.futexWait(wordAddress(offset), value, timespec) == 0;
    } finally {
      Reference.reachabilityFence(windows);
    }
  }

  /** Wakes all that sleep on a word, in whichever process. */
  public void futexWake(int offset) {
    try {
      Libc.futexWake(wordAddress(offset), Integer.MAX_VALUE);
    } finally {
      Reference.reachabilityFence(windows);
    }
  }

  private long wordAddress(int offset) {
    if (offset < 0 || offset > size - 4 || (offset & 3) != 0) {
      throw new IndexOutOfBoundsException("futex at offset " + offset);
    }
    return address + offset;
  }

  /** Holds no reference to the mapping or its buffers. */
  private record Unmap(long address, long size, AtomicInteger windows) implements Runnable {
    @Override
    public void run() {
      if (windows.decrementAndGet() == 0) {
        Libc.munmap(address, size);
      }
    }
  }
}
