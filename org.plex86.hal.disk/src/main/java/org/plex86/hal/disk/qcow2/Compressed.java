// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.plex86.hal.disk.io.IoVector;

/** Compressed clusters: a raw deflate stream that begins anywhere in the file. */
final class Compressed {
  private static final int SECTOR = 512;

  private Compressed() {}

  /** The number of bits of the offset in an entry; the rest counts sectors. */
  private static int offsetBits(Layout layout) {
    return 62 - (layout.clusterBits - 8);
  }

  static long start(Layout layout, long entry) {
    return entry & ((1L << offsetBits(layout)) - 1);
  }

  /** The end of the last sector that holds some of it. */
  static long end(Layout layout, long entry) {
    long sectors = (entry & (ClusterMap.COMPRESSED - 1)) >> offsetBits(layout);
    return (start(layout, entry) / SECTOR + sectors + 1) * SECTOR;
  }

  /** Reads and inflates a cluster. */
  static byte[] read(Layout layout, long entry) throws IOException {
    long start = start(layout, entry);
    long end = Math.min(end(layout, entry), layout.file.size());
    if (start >= end) {
      throw new DamagedException("the image is damaged: a compressed cluster is not in the file");
    }
    // as many sectors as the entry can count: two clusters at most
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) (end - start));
    layout.file.read(start, IoVector.of(bytes));
    byte[] cluster = new byte[layout.clusterSize];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(bytes);
      int done = 0;
      while (done < cluster.length) {
        int count = inflater.inflate(cluster, done, cluster.length - done);
        if (count == 0) {
          throw new DamagedException("the image is damaged: a compressed cluster is too short");
        }
        done += count;
      }
      return cluster;
    } catch (DataFormatException e) {
      throw new IOException("the image is damaged: a compressed cluster cannot be inflated", e);
    } finally {
      inflater.end();
    }
  }
}
