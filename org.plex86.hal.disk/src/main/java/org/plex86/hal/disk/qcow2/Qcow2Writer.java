// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.IoVector;

/** All that changes the tables of an image. Under its exclusive lock. */
final class Qcow2Writer {
  /** References that wait for a flush of the guest before their clusters are free, at most. */
  private static final int DROPPED_MAX = 1 << 16;

  private static final int ZERO_PIECE = 1 << 20;

  private final Layout layout;
  private final ClusterMap map;
  private final Refcounts refcounts;
  private final Qcow2Header header;
  private final DiskImage backing;
  private final boolean durable;

  /** Clusters that lost a reference which may still be on the medium. */
  private List<Long> dropped = new ArrayList<>();

  /** Those of them that syncs under way are for. */
  private final List<long[]> syncing = new ArrayList<>();

  Qcow2Writer(
      Layout layout,
      ClusterMap map,
      Refcounts refcounts,
      Qcow2Header header,
      DiskImage backing,
      boolean durable) {
    this.layout = layout;
    this.map = map;
    this.refcounts = refcounts;
    this.header = header;
    this.backing = backing;
    this.durable = durable;
  }

  void restore(Map<Long, byte[]> pages, long[] droppedBefore) throws IOException {
    layout.cache.restore(pages);
    for (long cluster : droppedBefore) {
      dropped.add(cluster);
    }
  }

  /** Says in the header what we do not keep up to date, and that the counts are right. */
  void prepareHeader() throws IOException {
    if (header.version() == 3 && header.autoclear() != 0) {
      layout.writeHeader(Qcow2Header.AT_AUTOCLEAR, ByteBuffer.allocateDirect(Long.BYTES));
    }
    if (header.isDirty()) {
      syncAside();
      ByteBuffer bits = ByteBuffer.allocateDirect(Long.BYTES);
      bits.putLong(0, header.incompatible() & ~Qcow2Header.DIRTY);
      layout.writeHeader(Qcow2Header.AT_INCOMPATIBLE, bits);
    }
  }

  /** Whether a write needs no waiting for a medium. */
  boolean canWriteAtOnce(long offset, long length) throws IOException {
    if (length == 0 || layout.cache.isCrowded() || dropped.size() >= DROPPED_MAX) {
      return false;
    }
    long first = offset >> layout.clusterBits;
    long last = (offset + length - 1) >> layout.clusterBits;
    if (!refcounts.hasStock(last - first + 2)) {
      return false;
    }
    for (long cluster = first; cluster <= last; cluster++) {
      if (map.isEmptyTable(cluster)) {
        return false; // a new table is made durable first
      }
      long entry = map.cachedEntry(cluster);
      boolean simple = ClusterMap.isPlainOwn(entry) || ClusterMap.isZero(entry) || entry == 0;
      if (!simple || (entry == 0 && backing != null)) {
        return false;
      }
    }
    return true;
  }

  void write(long offset, IoVector from) throws IOException {
    for (long done = 0; done < from.size(); ) {
      long at = offset + done;
      long cluster = at >> layout.clusterBits;
      long left = from.size() - done;
      long entry = map.entry(cluster);
      long inCluster = at & (layout.clusterSize - 1);
      if (ClusterMap.isPlainOwn(entry)) {
        long length = Math.min(left, layout.clusterSize - inCluster);
        layout.file.write(ClusterMap.offset(entry) + inCluster, from.slice(done, length));
        done += length;
      } else {
        long wanted = newClusters(cluster, (at + left - 1) >> layout.clusterBits);
        done += writeNew(at, from.slice(done, left), wanted);
      }
    }
    if (layout.cache.isCrowded() || dropped.size() > DROPPED_MAX) {
      flush();
    }
  }

  private void flush() throws IOException {
    writeHeldBack();
    syncAside();
    finishDropped(takeDropped(), true);
  }

  /** How many clusters from one on, up to the last one, cannot be written in place. */
  private long newClusters(long first, long last) throws IOException {
    // not beyond the end of the L2 table, so that the entries are set at once
    long end = Math.min(last, first / map.l2Entries() * map.l2Entries() + map.l2Entries() - 1);
    long cluster = first + 1;
    while (cluster <= end && !ClusterMap.isPlainOwn(map.entry(cluster))) {
      cluster++;
    }
    return cluster - first;
  }

  /** Writes to new clusters; returns how many bytes. */
  private long writeNew(long at, IoVector from, long wanted) throws IOException {
    long first = at >> layout.clusterBits;
    release(map.ensureTable(first, refcounts), 1);
    Refcounts.Run run = refcounts.allocate(wanted);
    long start = first << layout.clusterBits;
    long end = (first + run.count()) << layout.clusterBits;
    long length = Math.min(from.size(), end - at);
    boolean copied;
    try {
      long target = run.cluster() << layout.clusterBits;
      copied = fillRest(start, at, target, run.fresh());
      layout.file.write(target + at - start, from.slice(0, length));
      copied |= fillRest(at + length, end, target + at + length - start, run.fresh());
    } catch (IOException e) {
      refcounts.putBack(run);
      throw e;
    }
    // if this fails, nobody knows whether they are referred to: they are not used again
    link(first, run, copied);
    return length;
  }

  private void link(long first, Refcounts.Run run, boolean copied) throws IOException {
    long[] old = new long[(int) run.count()];
    long[] values = new long[old.length];
    boolean replaces = false;
    for (int i = 0; i < old.length; i++) {
      old[i] = map.entry(first + i);
      values[i] = (run.cluster() + i) << layout.clusterBits | ClusterMap.COPIED;
      replaces |= backing != null || ClusterMap.isPlain(old[i]) || ClusterMap.isCompressed(old[i]);
    }
    map.set(first, values, durable && (copied || replaces));
    for (long entry : old) {
      release(entry);
    }
  }

  /**
   * Fills the part of a new cluster that is not written to with what was there before.
   *
   * @return whether that was something else than zeros
   */
  private boolean fillRest(long from, long to, long target, boolean fresh) throws IOException {
    if (from == to) {
      return false;
    }
    long entry = map.entry(from >> layout.clusterBits);
    boolean zeros = ClusterMap.isZero(entry) || (entry == 0 && backing == null);
    if (zeros) {
      if (!fresh) {
        layout.file.writeZeroes(target, to - from, false);
      }
      return false;
    }
    IoVector copy = IoVector.of(ByteBuffer.allocateDirect((int) (to - from)));
    if (ClusterMap.isCompressed(entry)) {
      copy.put(Compressed.read(layout, entry), (int) (from & (layout.clusterSize - 1)));
    } else if (entry == 0) {
      Below.read(backing, from, copy, true);
    } else {
      long offset = ClusterMap.offset(entry) + (from & (layout.clusterSize - 1));
      layout.read(offset, copy);
    }
    layout.file.write(target, copy);
    return true;
  }

  /** The reference of an entry that was replaced is gone. */
  private void release(long entry) {
    if (ClusterMap.isCompressed(entry)) {
      long end = (Compressed.end(layout, entry) - 1) >> layout.clusterBits;
      long first = Compressed.start(layout, entry) >> layout.clusterBits;
      for (long cluster = first; cluster <= end; cluster++) {
        dropped.add(cluster);
      }
    } else {
      release(ClusterMap.offset(entry), 1);
    }
  }

  private void release(long offset, long clusters) {
    for (long i = 0; i < clusters && offset != 0; i++) {
      dropped.add((offset >> layout.clusterBits) + i);
    }
  }

  void discard(long offset, long length) throws IOException {
    if (backing == null || header.version() == 3) {
      clearClusters(offset, length);
    }
  }

  void writeZeroes(long offset, long length) throws IOException {
    long size = layout.clusterSize;
    long first = (offset + size - 1) & -size;
    long end = (offset + length) & -size;
    if (first >= end || (backing != null && header.version() == 2)) {
      writeZeros(offset, length);
      return;
    }
    writeZeros(offset, first - offset);
    clearClusters(first, end - first);
    writeZeros(end, offset + length - end);
  }

  /** Writes zeros, but where there are zeros already. */
  private void writeZeros(long offset, long length) throws IOException {
    if (length == 0) {
      return;
    }
    IoVector zeros = IoVector.of(ByteBuffer.allocateDirect((int) Math.min(length, ZERO_PIECE)));
    for (long done = 0; done < length; ) {
      long at = offset + done;
      long inCluster = at & (layout.clusterSize - 1);
      long piece = Math.min(Math.min(length - done, zeros.size()), layout.clusterSize - inCluster);
      long entry = map.entry(at >> layout.clusterBits);
      if (!ClusterMap.isZero(entry) && !(entry == 0 && backing == null)) {
        write(at, zeros.slice(0, piece));
      }
      done += piece;
    }
  }

  /** Makes whole clusters read as zeros, without data. Those that are not whole are left. */
  private void clearClusters(long offset, long length) throws IOException {
    long size = layout.clusterSize;
    long end = (offset + length) >> layout.clusterBits;
    long cluster = (offset + size - 1) >> layout.clusterBits;
    long empty = backing == null ? 0 : ClusterMap.ZERO;
    while (cluster < end) {
      long tableEnd = (cluster / map.l2Entries() + 1) * map.l2Entries();
      int count = (int) (Math.min(end, tableEnd) - cluster);
      if (!map.isEmptyTable(cluster) || empty != 0) {
        clearEntries(cluster, count, empty);
      }
      cluster += count;
    }
    if (dropped.size() > DROPPED_MAX) {
      flush();
    }
  }

  private void clearEntries(long cluster, int count, long empty) throws IOException {
    long[] old = new long[count];
    boolean change = false;
    for (int i = 0; i < count; i++) {
      old[i] = map.entry(cluster + i);
      change |= old[i] != empty;
    }
    if (!change) {
      return;
    }
    release(map.ensureTable(cluster, refcounts), 1);
    long[] values = new long[count];
    Arrays.fill(values, empty);
    map.set(cluster, values, false);
    for (long entry : old) {
      release(entry);
    }
  }

  void resize(long size) throws IOException {
    long entries = (size + header.bytesPerL2() - 1) / header.bytesPerL2();
    if (entries > Qcow2Header.L1_MAX_BYTES / Long.BYTES) {
      throw new IOException("the image's clusters are too small for so large a disk");
    }
    long bytes = map.l1Bytes();
    long old = map.resize(size, (int) entries, refcounts);
    release(old, (bytes + layout.clusterSize - 1) >> layout.clusterBits);
  }

  /** Writes the tables that had to wait for data, which are made durable by this. */
  void writeHeldBack() throws IOException {
    if (layout.cache.heldBack() > 0) {
      syncAside();
      layout.cache.writeHeldBack();
    }
  }

  /** Without the exclusive lock. */
  void sync() throws IOException {
    if (durable) {
      layout.file.sync();
    }
  }

  private void syncAside() throws IOException {
    if (durable) {
      layout.file.syncAside();
    }
  }

  /** References that will be gone from the medium after the next {@link #sync}. */
  long[] takeDropped() {
    long[] all = dropped.stream().mapToLong(Long::longValue).toArray();
    dropped = new ArrayList<>();
    syncing.add(all);
    return all;
  }

  /** All references that may still be on the medium. */
  long[] allDropped() {
    return LongStream.concat(
            dropped.stream().mapToLong(Long::longValue),
            syncing.stream().flatMapToLong(Arrays::stream))
        .toArray();
  }

  /** The sync has ended; if it failed, the references are kept for the next. */
  void finishDropped(long[] clusters, boolean synced) throws IOException {
    syncing.removeIf(some -> some == clusters);
    for (long cluster : clusters) {
      if (!synced) {
        dropped.add(cluster);
      } else if (refcounts.drop(cluster)) {
        layout.file.punchHole(cluster << layout.clusterBits, layout.clusterSize);
      }
    }
  }

  void giveBackStock() throws IOException {
    refcounts.giveBackStock();
  }

  /** Whether something would be lost if the files were closed now. */
  boolean mustFlush() {
    return layout.cache.heldBack() > 0 || !dropped.isEmpty();
  }
}
