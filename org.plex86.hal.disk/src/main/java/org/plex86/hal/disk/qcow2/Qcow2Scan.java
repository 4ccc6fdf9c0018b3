// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.disk.io.IoVector;

/** Looks at all references of an image and counts them. Under the exclusive lock. */
final class Qcow2Scan {
  /** Two bytes each: 256 MiB of memory at most. */
  private static final long CLUSTERS_MAX = 1L << 27;

  private static final int SNAPSHOT_BYTES = 40;
  private static final long SNAPSHOT_EXTRA_MAX = 1 << 20;

  private final Layout layout;
  private final Qcow2Header header;
  private final ClusterMap map;
  private final char[] counts;
  private long errors;
  private long used;

  Qcow2Scan(Layout layout, Qcow2Header header, ClusterMap map) throws IOException {
    this.layout = layout;
    this.header = header;
    this.map = map;
    if (layout.endCluster() > CLUSTERS_MAX) {
      throw new DamagedException("has more clusters than can be checked here; run qemu-img check");
    }
    counts = new char[(int) layout.endCluster()];
  }

  /** Counts, and compares with what the image says. */
  Findings compare(Refcounts refcounts) throws IOException {
    count(refcounts);
    long leaks = 0;
    for (int cluster = 0; cluster < counts.length; cluster++) {
      int stored = refcounts.get(cluster);
      errors += stored < counts[cluster] ? 1 : 0;
      leaks += stored > counts[cluster] ? 1 : 0;
      used += counts[cluster] > 0 ? 1 : 0;
    }
    return new Findings(errors, leaks, used);
  }

  /** Counts, and writes down what was counted. */
  void repair(Refcounts refcounts) throws IOException {
    count(refcounts);
    if (errors > 0) {
      throw new DamagedException("is damaged: it has wrong references; run qemu-img check -r all");
    }
    for (int cluster = 0; cluster < counts.length; cluster++) {
      if (refcounts.get(cluster) != counts[cluster]) {
        refcounts.repair(cluster, counts[cluster]);
      }
    }
  }

  private void count(Refcounts refcounts) throws IOException {
    add(0, 1);
    add(header.l1Offset(), (long) header.l1Entries() * Long.BYTES);
    refcounts.forEachTable(this::add);
    long[] l1 = new long[map.l1Length()];
    for (int i = 0; i < l1.length; i++) {
      l1[i] = map.l1Entry(i);
    }
    countL1(l1);
    countSnapshots();
  }

  private void countL1(long[] l1) throws IOException {
    for (long entry : l1) {
      long offset = ClusterMap.offset(entry);
      if (entry == 0) {
        continue;
      }
      if (!layout.isCluster(offset)) {
        errors++;
        continue;
      }
      add(offset, 1);
      for (int i = 0; i < map.l2Entries(); i++) {
        countEntry(layout.cache.getLong(offset + (long) i * Long.BYTES));
      }
    }
  }

  private void countEntry(long entry) {
    if (ClusterMap.isCompressed(entry)) {
      long start = Compressed.start(layout, entry) & -layout.clusterSize;
      add(start, Compressed.end(layout, entry) - start);
    } else if (ClusterMap.offset(entry) != 0) {
      add(ClusterMap.offset(entry), 1);
    }
  }

  private void countSnapshots() throws IOException {
    long at = header.snapshotsOffset();
    for (int i = 0; i < header.snapshots(); i++) {
      ByteBuffer fixed = ByteBuffer.allocateDirect(SNAPSHOT_BYTES);
      layout.file.read(at, IoVector.of(fixed));
      long extra = Integer.toUnsignedLong(fixed.getInt(36));
      long l1Bytes = Integer.toUnsignedLong(fixed.getInt(8)) * Long.BYTES;
      long l1Offset = fixed.getLong(0);
      if (extra > SNAPSHOT_EXTRA_MAX
          || l1Bytes > Qcow2Header.L1_MAX_BYTES
          || (l1Bytes > 0 && !layout.isCluster(l1Offset))) {
        throw new DamagedException("is damaged: its table of snapshots is wrong");
      }
      add(l1Offset, l1Bytes);
      countL1(layout.readTable(l1Offset, (int) (l1Bytes / Long.BYTES)));
      long names = 0L + (fixed.getShort(12) & 0xffff) + (fixed.getShort(14) & 0xffff);
      at += (SNAPSHOT_BYTES + extra + names + 7) / 8 * 8;
    }
    if (header.snapshots() > 0) {
      add(header.snapshotsOffset(), at - header.snapshotsOffset());
    }
  }

  private void add(long offset, long bytes) {
    for (long done = 0; done < bytes; done += layout.clusterSize) {
      long cluster = (offset + done) >> layout.clusterBits;
      if (offset < 0 || (offset & (layout.clusterSize - 1)) != 0 || cluster >= counts.length) {
        errors++;
      } else if (counts[(int) cluster] < Character.MAX_VALUE) {
        counts[(int) cluster]++;
      }
    }
  }
}
