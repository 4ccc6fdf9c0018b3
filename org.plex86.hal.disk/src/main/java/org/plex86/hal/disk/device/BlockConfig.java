// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the guest learns of the device: features (section 5.2.3) and configuration space (5.2.4). It
 * depends on the user's options and the size of the image only, so that every version of this
 * bundle can take over from every other: nothing here may be changed lightly.
 */
final class BlockConfig {
  static final int DEVICE_ID = 2;
  static final int SECTOR = 512;
  static final int QUEUE_SIZE = 256;

  static final long F_SEG_MAX = 1 << 2;
  static final long F_RO = 1 << 5;
  static final long F_BLK_SIZE = 1 << 6;
  static final long F_FLUSH = 1 << 9;
  static final long F_TOPOLOGY = 1 << 10;
  static final long F_DISCARD = 1 << 13;
  static final long F_WRITE_ZEROES = 1 << 14;

  /** Segments of one discard or write-zeroes request. */
  static final int RANGES_MAX = 32;

  /** Sectors of one segment of these: 1 GiB, so that none keeps a thread for long. */
  static final int RANGE_SECTORS_MAX = 1 << 21;

  private static final int BYTES = 60;

  /** A header, a status, and the rest of a queue's descriptors for data. */
  private static final int SEG_MAX = QUEUE_SIZE - 2;

  /** Blocks of 4 KiB: what page cache and file systems of the host work with. */
  private static final int PHYSICAL_BLOCK_EXPONENT = 3;

  private BlockConfig() {}

  static long features(boolean writable, boolean discard) {
    long features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY;
    if (!writable) {
      return features | F_RO;
    }
    return features | F_WRITE_ZEROES | (discard ? F_DISCARD : 0);
  }

  static byte[] space(long bytes, boolean writable, boolean discard) {
    ByteBuffer space = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    space.putLong(0, bytes / SECTOR);
    space.putInt(12, SEG_MAX);
    space.putInt(20, SECTOR);
    space.put(24, (byte) PHYSICAL_BLOCK_EXPONENT);
    space.putShort(26, (short) 1); // min_io_size: one logical block
    if (writable && discard) {
      space.putInt(36, RANGE_SECTORS_MAX);
      space.putInt(40, RANGES_MAX);
      space.putInt(44, 1 << PHYSICAL_BLOCK_EXPONENT); // discard_sector_alignment
    }
    if (writable) {
      space.putInt(48, RANGE_SECTORS_MAX);
      space.putInt(52, RANGES_MAX);
      space.put(56, (byte) (discard ? 1 : 0)); // write_zeroes_may_unmap
    }
    return space.array();
  }
}
