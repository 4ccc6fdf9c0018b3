// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/** Makes images of version 3. */
public final class Qcow2Creator {
  /** Clusters of 64 KiB, as QEMU makes them. */
  public static final int CLUSTER_BITS = 16;

  private static final int REFCOUNT_ORDER = 4;

  private Qcow2Creator() {}

  /**
   * Makes an empty file an image, all zeros or what is below.
   *
   * @param size of the disk in bytes
   * @param backingFile what to write down as the image below, absolute or relative to this one;
   *     null: none
   * @param backingFormat its format
   */
  public static void create(
      DiskFile file, long size, int clusterBits, String backingFile, String backingFormat)
      throws IOException {
    int clusterSize = 1 << clusterBits;
    long bytesPerL2 = (long) clusterSize * (clusterSize / Long.BYTES);
    long l1Entries = Math.max(1, (size + bytesPerL2 - 1) / bytesPerL2);
    long l1Clusters = (l1Entries * Long.BYTES + clusterSize - 1) / clusterSize;
    int clusters = (int) (3 + l1Clusters); // header, refcount table, refcount block, L1 table
    if (l1Entries * Long.BYTES > Qcow2Header.L1_MAX_BYTES || clusters > clusterSize / Short.BYTES) {
      throw new IOException("a qcow2 image cannot hold so large a disk; give a smaller size");
    }
    file.truncate((long) clusters << clusterBits);
    ByteBuffer block = ByteBuffer.allocateDirect(clusters * Short.BYTES);
    for (int i = 0; i < clusters; i++) {
      block.putShort(i * Short.BYTES, (short) 1);
    }
    file.write(2L << clusterBits, IoVector.of(block));
    ByteBuffer table = ByteBuffer.allocateDirect(Long.BYTES);
    table.putLong(0, 2L << clusterBits);
    file.write(1L << clusterBits, IoVector.of(table));
    file.sync();
    ByteBuffer header = header(clusterBits, size, (int) l1Entries, backingFile, backingFormat);
    file.writeDurably(0, IoVector.of(header));
  }

  private static ByteBuffer header(
      int clusterBits, long size, int l1Entries, String backingFile, String backingFormat)
      throws IOException {
    ByteBuffer header = ByteBuffer.allocateDirect(1 << clusterBits);
    header.putInt(0, Qcow2Header.MAGIC).putInt(4, 3).putInt(20, clusterBits);
    header.putLong(Qcow2Header.AT_SIZE, size);
    header.putInt(Qcow2Header.AT_L1, l1Entries).putLong(40, 3L << clusterBits);
    header.putLong(Qcow2Header.AT_REFCOUNT_TABLE, 1L << clusterBits).putInt(56, 1);
    header.putInt(96, REFCOUNT_ORDER).putInt(100, Qcow2Header.V3_BYTES);
    if (backingFile != null) {
      header.position(Qcow2Header.V3_BYTES);
      byte[] format = backingFormat.getBytes(StandardCharsets.UTF_8);
      header.putInt(Qcow2Header.EXTENSION_BACKING_FORMAT).putInt(format.length).put(format);
      header.position((header.position() + 7) / 8 * 8 + 8); // padding, and the end of extensions
      byte[] name = backingFile.getBytes(StandardCharsets.UTF_8);
      if (name.length > 1023 || name.length > header.remaining()) {
        throw new IOException("the name of the backing file is longer than 1023 bytes");
      }
      header.putLong(Qcow2Header.AT_BACKING, header.position()).putInt(16, name.length);
      header.put(name).clear();
    }
    return header;
  }
}
