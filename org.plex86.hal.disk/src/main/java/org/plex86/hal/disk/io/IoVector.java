// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Ranges of memory, one after the other: where the bytes of a request come from or go to. Slicing
 * copies no bytes. Immutable; the memory is not.
 *
 * <p>SAFETY: ranges are those of direct buffers, which are kept reachable; no range is read or
 * written past its end. Memory of a guest stays mapped for as long as its packet is not completed,
 * and a channel waits for all of its requests before it ends.
 */
public final class IoVector {
  /** Zeros are written to memory from here, in pieces of this size. */
  private static final byte[] ZEROS = new byte[64 << 10];

  private final Object keep;
  private final long[] addresses;
  private final long[] lengths;
  private final long size;

  private IoVector(Object keep, long[] addresses, long[] lengths, long size) {
    this.keep = keep;
    this.addresses = addresses;
    this.lengths = lengths;
    this.size = size;
  }

  /**
   * A part of what some buffers hold, from their first byte to their limit.
   *
   * @param buffers direct ones, position 0
   * @param skip bytes left out at the start
   * @param size bytes in the vector; the buffers have at least {@code skip + size}
   */
  public static IoVector of(List<ByteBuffer> buffers, long skip, long size) {
    long[] addresses = new long[buffers.size()];
    long[] lengths = new long[buffers.size()];
    int count = 0;
    long toSkip = skip;
    long left = size;
    for (int i = 0; i < buffers.size() && left > 0; i++) {
      ByteBuffer buffer = buffers.get(i);
      if (toSkip >= buffer.limit()) {
        toSkip -= buffer.limit();
        continue;
      }
      long address = Pointer.nativeValue(Native.getDirectBufferPointer(buffer)) + toSkip;
      long length = Math.min(left, buffer.limit() - toSkip);
      if (count > 0 && addresses[count - 1] + lengths[count - 1] == address) {
        lengths[count - 1] += length; // Linux often gives pages that follow each other
      } else {
        addresses[count] = address;
        lengths[count++] = length;
      }
      toSkip = 0;
      left -= length;
    }
    if (left > 0) {
      throw new IllegalArgumentException("size=" + size + ", missing=" + left);
    }
    return new IoVector(
        buffers,
        java.util.Arrays.copyOf(addresses, count),
        java.util.Arrays.copyOf(lengths, count),
        size);
  }

  /** All of one direct buffer, from its first byte to its limit. */
  public static IoVector of(ByteBuffer buffer) {
    return of(List.of(buffer), 0, buffer.limit());
  }

  /** How many bytes. */
  public long size() {
    return size;
  }

  /** A part. */
  public IoVector slice(long offset, long length) {
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IndexOutOfBoundsException(
          "offset=" + offset + ", length=" + length + ", size=" + size);
    }
    if (length == size) {
      return this;
    }
    int first = 0;
    long skip = offset;
    while (first < lengths.length && skip >= lengths[first]) {
      skip -= lengths[first++];
    }
    int end = first;
    for (long have = -skip; have < length; end++) {
      have += lengths[end];
    }
    long[] partAddresses = java.util.Arrays.copyOfRange(addresses, first, end);
    long[] partLengths = java.util.Arrays.copyOfRange(lengths, first, end);
    if (end > first) {
      partAddresses[0] += skip;
      partLengths[0] -= skip;
      long before = 0;
      for (int i = 0; i < partLengths.length - 1; i++) {
        before += partLengths[i];
      }
      partLengths[partLengths.length - 1] = length - before;
    }
    return new IoVector(keep, partAddresses, partLengths, length);
  }

  /** Writes zeros all over. */
  public void zero() {
    for (int i = 0; i < lengths.length; i++) {
      Pointer at = new Pointer(addresses[i]);
      for (long done = 0; done < lengths[i]; done += ZEROS.length) {
        at.write(done, ZEROS, 0, (int) Math.min(ZEROS.length, lengths[i] - done));
      }
    }
  }

  /** Writes bytes all over. */
  public void put(byte[] from, int offset) {
    int at = offset;
    for (int i = 0; i < lengths.length; i++) {
      new Pointer(addresses[i]).write(0, from, at, (int) lengths[i]);
      at += (int) lengths[i];
    }
  }

  /** Reads all bytes. */
  public void get(byte[] into, int offset) {
    int at = offset;
    for (int i = 0; i < lengths.length; i++) {
      new Pointer(addresses[i]).read(0, into, at, (int) lengths[i]);
      at += (int) lengths[i];
    }
  }

  /**
   * Describes the ranges from a position on as {@code struct iovec}s, as many as there is room for.
   *
   * @return how many there are
   */
  int describe(long from, ByteBuffer vectors) {
    vectors.clear();
    long skip = from;
    int count = 0;
    for (int i = 0; i < lengths.length && vectors.remaining() >= 16; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      vectors.putLong(addresses[i] + skip).putLong(lengths[i] - skip);
      skip = 0;
      count++;
    }
    vectors.flip(); // JNA counts from the position
    return count;
  }
}
