// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/**
 * The header of an image, checked. Offsets are in bytes, and of whole clusters.
 *
 * @param version 2 or 3
 * @param clusterBits 9 to 21: a cluster has two to the power of this bytes
 * @param size of the disk in bytes
 * @param l1Entries of the active L1 table
 * @param refcountTableClusters the size of the refcount table
 * @param snapshots how many internal snapshots there are
 * @param incompatible feature bits; only {@link #DIRTY} and {@link #CORRUPT} get through the check
 * @param autoclear feature bits of structures that are void once somebody else has written
 * @param backingFile the name of the image below, as it is in the header; null: none
 * @param backingFormat its format; null: not told
 */
public record Qcow2Header(
    int version,
    int clusterBits,
    long size,
    int l1Entries,
    long l1Offset,
    long refcountTableOffset,
    int refcountTableClusters,
    int snapshots,
    long snapshotsOffset,
    long incompatible,
    long compatible,
    long autoclear,
    String backingFile,
    String backingFormat) {
  static final int MAGIC = 0x514649fb;
  static final int V2_BYTES = 72;
  static final int V3_BYTES = 104;
  static final long DIRTY = 1;
  static final long CORRUPT = 1 << 1;

  static final int AT_BACKING = 8;
  static final int AT_SIZE = 24;
  static final int AT_L1 = 36;
  static final int AT_REFCOUNT_TABLE = 48;
  static final int AT_INCOMPATIBLE = 72;
  static final int AT_AUTOCLEAR = 88;
  static final int EXTENSION_END = 0;
  static final int EXTENSION_BACKING_FORMAT = 0xe2792aca;

  static final int MIN_CLUSTER_BITS = 9;
  static final int MAX_CLUSTER_BITS = 21;

  /** The same bounds as QEMU's, so that what it has made can be opened. */
  static final int L1_MAX_BYTES = 32 << 20;

  static final int REFCOUNT_TABLE_MAX_BYTES = 8 << 20;
  private static final int SNAPSHOTS_MAX = 65536;
  private static final int NAME_MAX = 1023;

  private static final String[] INCOMPATIBLE = {
    "dirty", "corrupt", "external data file", "compression type", "extended L2 entries"
  };

  int clusterSize() {
    return 1 << clusterBits;
  }

  /** Bytes of the disk that one L2 table maps. */
  long bytesPerL2() {
    return (long) clusterSize() * (clusterSize() / Long.BYTES);
  }

  /** Whether the counts of references cannot be relied on. */
  public boolean isDirty() {
    return (incompatible & DIRTY) != 0;
  }

  /** Whether somebody has found damage in the image before. */
  public boolean isMarkedCorrupt() {
    return (incompatible & CORRUPT) != 0;
  }

  /**
   * Reads and checks the header of a file.
   *
   * @throws IOException one line for the user, with the file's name
   */
  public static Qcow2Header read(DiskFile file) throws IOException {
    try {
      return parse(start(file, file.size()), file.size());
    } catch (DamagedException e) {
      throw new IOException("'" + file.path() + "' " + e.getMessage(), e);
    }
  }

  /** The first cluster, as far as it could be the header's, and the file has it. */
  private static ByteBuffer start(DiskFile file, long length) throws IOException {
    int most = 1 << MAX_CLUSTER_BITS;
    ByteBuffer start = ByteBuffer.allocateDirect(V3_BYTES + Long.BYTES);
    start.limit((int) Math.min(start.limit(), length));
    file.read(0, IoVector.of(start.slice()));
    if (start.limit() < V2_BYTES) {
      return start;
    }
    int bits = Math.max(MIN_CLUSTER_BITS, Math.min(MAX_CLUSTER_BITS, start.getInt(20)));
    ByteBuffer all = ByteBuffer.allocateDirect((int) Math.min(Math.min(most, 1 << bits), length));
    file.read(0, IoVector.of(all));
    return all;
  }

  static Qcow2Header parse(ByteBuffer bytes, long fileSize) throws DamagedException {
    check(bytes.limit() >= V2_BYTES && bytes.getInt(0) == MAGIC, "is not a qcow2 image");
    int version = bytes.getInt(4);
    check(
        version == 2 || version == 3,
        "is of qcow2 version %s; only 2 and 3 are known",
        Integer.toUnsignedString(version));
    int bits = bytes.getInt(20);
    check(
        bits >= MIN_CLUSTER_BITS && bits <= MAX_CLUSTER_BITS,
        "is damaged: its cluster_bits are %d, not 9 to 21",
        bits);
    int crypt = bytes.getInt(32);
    check(crypt == 0, "is encrypted (method %d), which is not supported; decrypt it", crypt);
    int headerBytes = V2_BYTES;
    long incompatible = 0;
    if (version == 3) {
      check(bytes.limit() >= V3_BYTES, "is damaged: its header is cut off");
      incompatible = bytes.getLong(AT_INCOMPATIBLE);
      checkFeatures(incompatible);
      int order = bytes.getInt(96);
      check(
          order == 4,
          "has reference counts of %s bits; only 16 bits are supported, convert it",
          order >= 0 && order <= 6 ? Integer.toString(1 << order) : "2^" + order);
      headerBytes = bytes.getInt(100);
      check(
          headerBytes >= V3_BYTES && headerBytes <= bytes.limit() && headerBytes % 8 == 0,
          "is damaged: its header has a length of %d",
          headerBytes);
    }
    Qcow2Header header =
        new Qcow2Header(
            version,
            bits,
            bytes.getLong(AT_SIZE),
            bytes.getInt(AT_L1),
            bytes.getLong(40),
            bytes.getLong(AT_REFCOUNT_TABLE),
            bytes.getInt(56),
            bytes.getInt(60),
            bytes.getLong(64),
            incompatible,
            version == 3 ? bytes.getLong(80) : 0,
            version == 3 ? bytes.getLong(AT_AUTOCLEAR) : 0,
            backingFile(bytes, headerBytes),
            backingFormat(bytes, headerBytes));
    header.checkTables(fileSize);
    return header;
  }

  private static void checkFeatures(long incompatible) throws DamagedException {
    for (int bit = 2; bit < Long.SIZE; bit++) {
      if ((incompatible & 1L << bit) != 0) {
        String name = bit < INCOMPATIBLE.length ? INCOMPATIBLE[bit] : "bit " + bit;
        throw new DamagedException(
            bit == 3
                ? "has clusters compressed with zstd, which are not supported; convert it"
                : "has the incompatible feature '"
                    + name
                    + "', which is not supported; convert it");
      }
    }
  }

  private static String backingFile(ByteBuffer bytes, int headerBytes) throws DamagedException {
    long at = bytes.getLong(AT_BACKING);
    int length = bytes.getInt(16);
    if (at == 0) {
      return null;
    }
    check(
        length > 0 && length <= NAME_MAX && at >= headerBytes && at <= bytes.limit() - length,
        "is damaged: the name of its backing file is outside of the first cluster");
    byte[] name = new byte[length];
    bytes.get((int) at, name);
    String text = new String(name, StandardCharsets.UTF_8);
    check(text.indexOf('\0') < 0, "is damaged: the name of its backing file has a NUL in it");
    return text;
  }

  private static String backingFormat(ByteBuffer bytes, int headerBytes) throws DamagedException {
    long backing = bytes.getLong(AT_BACKING);
    long end = backing > 0 ? Math.min(backing, bytes.limit()) : bytes.limit();
    for (int at = headerBytes; at + 8 <= end; ) {
      int type = bytes.getInt(at);
      long length = Integer.toUnsignedLong(bytes.getInt(at + 4));
      if (type == EXTENSION_END) {
        return null;
      }
      check(length <= end - at - 8, "is damaged: a header extension is too long");
      if (type == EXTENSION_BACKING_FORMAT) {
        byte[] name = new byte[(int) length];
        bytes.get(at + 8, name);
        return new String(name, StandardCharsets.UTF_8);
      }
      at += 8 + (int) (length + 7) / 8 * 8;
    }
    return null;
  }

  private void checkTables(long fileSize) throws DamagedException {
    check(size >= 0 && size <= 1L << 55, "is damaged: the size of the disk is %d bytes", size);
    long needed = (size + bytesPerL2() - 1) / bytesPerL2();
    check(
        l1Entries >= needed && l1Entries <= L1_MAX_BYTES / Long.BYTES,
        "is damaged: its L1 table has %s entries, the disk needs %d",
        Integer.toUnsignedString(l1Entries),
        needed);
    check(
        isTable(l1Offset, (long) l1Entries * Long.BYTES, fileSize),
        "is damaged or cut off: its L1 table at 0x%x is not within the file of %d bytes",
        l1Offset,
        fileSize);
    long tableBytes = Integer.toUnsignedLong(refcountTableClusters) << clusterBits;
    check(
        tableBytes > 0
            && tableBytes <= REFCOUNT_TABLE_MAX_BYTES
            && isTable(refcountTableOffset, tableBytes, fileSize),
        "is damaged or cut off: its refcount table at 0x%x of %d bytes is not within the file",
        refcountTableOffset,
        tableBytes);
    check(
        snapshots >= 0
            && snapshots <= SNAPSHOTS_MAX
            && (snapshots == 0 || isTable(snapshotsOffset, 1, fileSize)),
        "is damaged: its table of %s snapshots is not within the file",
        Integer.toUnsignedString(snapshots));
  }

  private boolean isTable(long offset, long length, long fileSize) {
    return offset >= clusterSize()
        && (offset & (clusterSize() - 1)) == 0
        && offset <= fileSize - length;
  }

  @SuppressWarnings("AnnotateFormatMethod") // would be a dependency for one private method
  private static void check(boolean good, String message, Object... values)
      throws DamagedException {
    if (!good) {
      throw new DamagedException(message.formatted(values));
    }
  }
}
