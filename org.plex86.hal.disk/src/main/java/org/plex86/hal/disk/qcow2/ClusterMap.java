// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Which cluster of the file holds which cluster of the disk: the L1 table and those below it.
 * Looked up under the shared lock of the image, changed under the exclusive one.
 */
final class ClusterMap {
  /** Bit 63: nobody else refers to it, so it can be written in place. */
  static final long COPIED = 1L << 63;

  /** Bit 62 of an L2 entry: the cluster is compressed. */
  static final long COMPRESSED = 1L << 62;

  /** Bit 0 of an L2 entry, version 3: the cluster reads as zeros. */
  static final long ZERO = 1;

  /** No entry looks so. */
  static final long NOT_CACHED = -1;

  private static final long OFFSET_MASK = 0x00fffffffffffe00L;
  private static final long L1_RESERVED = ~(COPIED | OFFSET_MASK);
  private static final long L2_RESERVED = ~(COPIED | OFFSET_MASK | ZERO);

  private final Layout layout;
  private final boolean zeroFlag;
  private final int l2Entries;
  private long l1Offset;
  private long[] l1;

  ClusterMap(Layout layout, Qcow2Header header, boolean writable) throws IOException {
    this.layout = layout;
    zeroFlag = header.version() == 3;
    l2Entries = layout.clusterSize / Long.BYTES;
    l1Offset = header.l1Offset();
    l1 = layout.readTable(l1Offset, header.l1Entries());
    if (!layout.addTable(l1Offset, (long) l1.length * Long.BYTES) && l1.length > 0) {
      throw new DamagedException("is damaged: its L1 table overlaps other tables");
    }
    for (long entry : l1) {
      // a bad entry that is never used does no harm to who reads
      if (entry != 0 && !layout.addTable(entry & OFFSET_MASK, 1) && writable) {
        throw new DamagedException(
            "is damaged: its L1 table refers to what is no L2 table; run qemu-img check");
      }
    }
  }

  int l2Entries() {
    return l2Entries;
  }

  long entries() {
    return (long) l1.length * l2Entries;
  }

  long l1Entry(int index) {
    return l1[index];
  }

  int l1Length() {
    return l1.length;
  }

  /** The offset of the L2 table for a cluster of the disk; 0: there is none. */
  private long l2Table(long cluster) throws IOException {
    long entry = l1[(int) (cluster / l2Entries)];
    if (entry == 0) {
      return 0;
    }
    long offset = entry & OFFSET_MASK;
    if ((entry & L1_RESERVED) != 0 || !layout.isCluster(offset)) {
      throw new DamagedException("the image is damaged: an entry of its L1 table is wrong");
    }
    return offset;
  }

  /** Whether there is no L2 table for a cluster of the disk. */
  boolean isEmptyTable(long cluster) throws IOException {
    return l2Table(cluster) == 0;
  }

  /** The checked L2 entry of a cluster of the disk. */
  long entry(long cluster) throws IOException {
    long l2 = l2Table(cluster);
    return l2 == 0 ? 0 : check(layout.cache.getLong(l2 + cluster % l2Entries * Long.BYTES));
  }

  /** As {@link #entry}, or {@link #NOT_CACHED} if the file would have to be read. */
  long cachedEntry(long cluster) throws IOException {
    long l2 = l2Table(cluster);
    if (l2 == 0) {
      return 0;
    }
    return layout.cache.isCached(l2 + cluster % l2Entries * Long.BYTES)
        ? entry(cluster)
        : NOT_CACHED;
  }

  private long check(long entry) throws IOException {
    if (entry == 0 || (entry & COMPRESSED) != 0) {
      return entry;
    }
    long offset = entry & OFFSET_MASK;
    boolean good =
        (entry & L2_RESERVED) == 0
            && ((entry & ZERO) == 0 || zeroFlag)
            && (offset == 0 ? (entry & ~COPIED) == ZERO : layout.isCluster(offset))
            && !(offset != 0 && layout.isMetadata(offset >> layout.clusterBits));
    if (!good) {
      throw new DamagedException("the image is damaged: an entry of an L2 table is wrong");
    }
    return entry;
  }

  static boolean isCompressed(long entry) {
    return (entry & COMPRESSED) != 0;
  }

  static boolean isZero(long entry) {
    return !isCompressed(entry) && (entry & ZERO) != 0;
  }

  /** Whether it is a cluster of the file with data as they are. */
  static boolean isPlain(long entry) {
    return entry != 0 && (entry & (COMPRESSED | ZERO)) == 0;
  }

  static boolean isPlainOwn(long entry) {
    return isPlain(entry) && entry < 0;
  }

  static long offset(long entry) {
    return entry & OFFSET_MASK;
  }

  /**
   * Makes sure that the L2 table of a cluster of the disk is there, and this image's alone.
   *
   * @return the offset of a table that is not referred to any more; 0: none
   */
  long ensureTable(long cluster, Refcounts refcounts) throws IOException {
    long old = l2Table(cluster);
    int index = (int) (cluster / l2Entries);
    if (old != 0 && l1[index] < 0) {
      return 0;
    }
    long[] table = new long[l2Entries];
    if (old != 0) {
      for (int i = 0; i < l2Entries; i++) {
        table[i] = layout.cache.getLong(old + (long) i * Long.BYTES);
      }
    }
    Refcounts.Run run = refcounts.allocate(1);
    long offset = run.cluster() << layout.clusterBits;
    try {
      layout.writeTable(offset, table);
      writeL1(index, offset | COPIED);
    } catch (IOException e) {
      refcounts.putBack(run);
      throw e;
    }
    layout.addTable(offset, 1);
    if (old != 0) {
      layout.removeTable(old, 1);
    }
    return old;
  }

  private void writeL1(int index, long entry) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Long.BYTES);
    bytes.putLong(0, entry);
    layout.file.write(
        l1Offset + (long) index * Long.BYTES, org.plex86.hal.disk.io.IoVector.of(bytes));
    l1[index] = entry;
  }

  /** Sets entries that are all of one table, which {@link #ensureTable} has made ours. */
  void set(long cluster, long[] values, boolean holdBack) throws IOException {
    long at = l2Table(cluster) + cluster % l2Entries * Long.BYTES;
    layout.cache.putLongs(at, values, holdBack);
  }

  /**
   * Makes the L1 table longer and writes the new size of the disk.
   *
   * @return the offset of the old table, which is free; 0: it is still the same
   */
  long resize(long size, int entries, Refcounts refcounts) throws IOException {
    if (entries <= l1.length) {
      ByteBuffer header = ByteBuffer.allocateDirect(Long.BYTES);
      header.putLong(0, size);
      layout.writeHeader(Qcow2Header.AT_SIZE, header);
      return 0;
    }
    long[] larger = Arrays.copyOf(l1, entries);
    long bytes = (long) entries * Long.BYTES;
    long clusters = (bytes + layout.clusterSize - 1) / layout.clusterSize;
    long offset = refcounts.allocateTable(clusters) << layout.clusterBits;
    layout.writeTable(offset, larger);
    // size, encryption (none), entries and offset are next to each other: one write
    ByteBuffer header = ByteBuffer.allocateDirect(24);
    header.putLong(0, size).putInt(8, 0).putInt(12, entries).putLong(16, offset);
    layout.writeHeader(Qcow2Header.AT_SIZE, header);
    long old = l1Offset;
    layout.removeTable(old, (long) l1.length * Long.BYTES);
    layout.addTable(offset, bytes);
    l1 = larger;
    l1Offset = offset;
    return old;
  }

  long l1Bytes() {
    return (long) l1.length * Long.BYTES;
  }
}
