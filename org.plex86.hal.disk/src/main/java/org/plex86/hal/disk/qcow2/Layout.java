// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/**
 * Where the parts of an image are: its file, the size of its clusters, and which clusters hold
 * tables, so that no damaged reference has data written over them. Changed under the exclusive lock
 * of the image only.
 */
final class Layout {
  final DiskFile file;
  final int clusterBits;
  final int clusterSize;
  final MetadataCache cache;

  /** Indices of clusters with tables that are in use, the header's included. */
  private final LongSet metadata = new LongSet();

  /** The end of the file, in whole clusters. */
  private volatile long endCluster;

  /** The size of the file as it should be, in bytes. */
  private volatile long fileBytes;

  Layout(DiskFile file, int clusterBits) throws IOException {
    this.file = file;
    this.clusterBits = clusterBits;
    clusterSize = 1 << clusterBits;
    cache = new MetadataCache(file, clusterSize);
    fileBytes = file.size();
    endCluster = (fileBytes + clusterSize - 1) >> clusterBits;
    metadata.add(0);
  }

  long endCluster() {
    return endCluster;
  }

  /** The file ends somewhere else. */
  void setEndCluster(long end) throws IOException {
    if (!file.isDevice()) {
      file.truncate(end << clusterBits);
    } else if (end << clusterBits > file.size()) {
      throw new IOException("No space left on device");
    }
    endCluster = end;
    fileBytes = end << clusterBits;
  }

  /**
   * Reads data. The last cluster of a file need not be whole (QEMU pads it with zeros, too), but a
   * file that is shorter than it was is an error.
   */
  void read(long offset, IoVector into) throws IOException {
    if (offset + into.size() > fileBytes) {
      file.readPadded(offset, into);
    } else {
      file.read(offset, into);
    }
  }

  /** Whether an offset is that of a cluster in the file. */
  boolean isCluster(long offset) {
    return offset > 0 && (offset & (clusterSize - 1)) == 0 && offset >> clusterBits < endCluster;
  }

  boolean isMetadata(long cluster) {
    return metadata.contains(cluster);
  }

  /** Clusters now hold a table; false if one of them did before, or they are not in the file. */
  boolean addTable(long offset, long bytes) {
    boolean good = true;
    for (long done = 0; done < bytes; done += clusterSize) {
      good &= isCluster(offset + done) && metadata.add((offset + done) >> clusterBits);
    }
    return good;
  }

  void removeTable(long offset, long bytes) {
    for (long done = 0; done < bytes; done += clusterSize) {
      metadata.remove((offset + done) >> clusterBits);
    }
  }

  /** A table of eight-byte entries. */
  long[] readTable(long offset, int entries) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(entries * Long.BYTES);
    file.read(offset, IoVector.of(bytes));
    long[] table = new long[entries];
    bytes.asLongBuffer().get(table);
    return table;
  }

  /** Writes a table, filled up with zeros to a whole cluster, durably. */
  void writeTable(long offset, long[] table) throws IOException {
    long bytes = (long) table.length * Long.BYTES;
    int size = (int) ((bytes + clusterSize - 1) & -clusterSize);
    ByteBuffer buffer = ByteBuffer.allocateDirect(size);
    buffer.asLongBuffer().put(table);
    file.writeDurably(offset, IoVector.of(buffer));
    cache.forget(offset, size);
  }

  /** Writes a part of the header, durably. */
  void writeHeader(int offset, ByteBuffer part) throws IOException {
    file.writeDurably(offset, IoVector.of(part));
  }
}
