// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Offload.Segmentation;

/** A frame on its way through a switch, out of the reach of the guest that sent it. */
final class Frame {
  /** Larger frames are put into arrays of one size, which are used again. */
  private static final int SMALL = 4096;

  private static final int LARGE = 1 << 16;

  /** What a waiting frame costs beside its bytes: queue node and objects. */
  private static final int OVERHEAD = 256;

  private final byte[] data;
  private final int length;
  private final Offload offload;
  private final ConcurrentLinkedQueue<byte[]> home;

  /**
   * A frame.
   *
   * @param data the frame, and more where the array is used again
   * @param length bytes of the frame
   * @param offload what is left to the receiver
   * @param home where the array goes when it is no longer needed; null: several may hold it
   */
  private Frame(byte[] data, int length, Offload offload, ConcurrentLinkedQueue<byte[]> home) {
    this.data = data;
    this.length = length;
    this.offload = offload;
    this.home = home;
  }

  byte[] data() {
    return data;
  }

  int length() {
    return length;
  }

  Offload offload() {
    return offload;
  }

  /** A copy of a frame. */
  static Frame copy(List<ByteBuffer> pieces, Offload offload, ConcurrentLinkedQueue<byte[]> spare) {
    int length = 0;
    for (ByteBuffer piece : pieces) {
      length += piece.remaining();
    }
    byte[] data = length <= SMALL ? new byte[length] : spare.poll();
    if (data == null || data.length < length) {
      data = new byte[Math.max(length, LARGE)];
    }
    int at = 0;
    for (ByteBuffer piece : pieces) {
      int count = piece.remaining();
      piece.get(piece.position(), data, at, count);
      at += count;
    }
    return new Frame(data, length, offload, length <= SMALL ? null : spare);
  }

  /** A frame that is complete in itself. */
  static Frame of(byte[] data) {
    return new Frame(data, data.length, Offload.NONE, null);
  }

  /** The same frame, for several receivers. */
  Frame shared() {
    return new Frame(data, length, offload, null);
  }

  void recycle() {
    if (home != null) {
      home.add(data);
    }
  }

  int cost() {
    return data.length + OVERHEAD;
  }

  /** The destination's address. */
  long destination() {
    return address(0);
  }

  long source() {
    return address(6);
  }

  private long address(int at) {
    long address = 0;
    for (int i = 0; i < 6; i++) {
      address = (address << 8) | (data[at + i] & 0xff);
    }
    return address;
  }

  /** Whether an address is that of a group, the broadcast address among them. */
  static boolean isGroup(long address) {
    return ((address >> 40) & 1) != 0;
  }

  /** The frame in classes of the JDK: see {@link SharedPort}. */
  Object[] parts() {
    int[] numbers = {
      length,
      offload.checksumStart(),
      offload.checksumOffset(),
      offload.segmentSize(),
      offload.headerLength()
    };
    return new Object[] {data, numbers, offload.segmentation().name(), home};
  }

  @SuppressWarnings("unchecked") // made by parts(), perhaps of another class loader
  static Frame of(Object[] parts) {
    int[] n = (int[]) parts[1];
    return new Frame(
        (byte[]) parts[0],
        n[0],
        new Offload(n[1], n[2], Segmentation.valueOf((String) parts[2]), n[3], n[4]),
        (ConcurrentLinkedQueue<byte[]>) parts[3]);
  }
}
