// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The three areas of a split virtqueue in guest memory (sections 2.7.5, 2.7.6, 2.7.8), field by
 * field, each read once with the memory order it needs. Fields that the guest wrote are returned as
 * they are, unchecked. For one thread.
 */
final class SplitRings {
  private static final VarHandle SHORT =
      MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int FLAGS = 0;
  private static final int INDEX = 2;
  private static final int RING = 4;

  /** VIRTQ_AVAIL_F_NO_INTERRUPT. */
  static final int NO_INTERRUPT = 1;

  /** VIRTQ_USED_F_NO_NOTIFY. */
  static final int NO_NOTIFY = 1;

  private final int size;
  private final ByteBuffer descriptors;
  private final ByteBuffer available;
  private final ByteBuffer used;

  /** The layout was checked: areas are aligned, so every access below is atomic. */
  SplitRings(QueueLayout layout, GuestMemory memory) {
    size = layout.size();
    descriptors =
        MemoryAccess.contiguous(
            memory, layout.descriptors(), QueueLayout.DESCRIPTOR_BYTES * layout.size());
    available = MemoryAccess.contiguous(memory, layout.driverArea(), layout.driverAreaBytes());
    used = MemoryAccess.contiguous(memory, layout.deviceArea(), layout.deviceAreaBytes());
  }

  int size() {
    return size;
  }

  /** addr of a descriptor. */
  long descriptorAddress(int index) {
    return (long) LONG.getOpaque(descriptors, index * QueueLayout.DESCRIPTOR_BYTES);
  }

  /** len in bits 0-31, flags in bits 32-47, next in bits 48-63 of a descriptor. */
  long descriptorRest(int index) {
    return (long) LONG.getOpaque(descriptors, index * QueueLayout.DESCRIPTOR_BYTES + 8);
  }

  /** avail.idx; what the guest wrote before it is visible after this. */
  int availableIndex() {
    return (short) SHORT.getAcquire(available, INDEX) & 0xffff;
  }

  /** avail.ring at a free-running index. */
  int availableHead(int index) {
    return (short) SHORT.getOpaque(available, RING + 2 * (index & (size - 1))) & 0xffff;
  }

  int availableFlags() {
    return (short) SHORT.getOpaque(available, FLAGS) & 0xffff;
  }

  /** used_event: the guest wants an interrupt once used.idx has passed this (section 2.7.10). */
  int usedEvent() {
    return (short) SHORT.getOpaque(available, RING + 2 * size) & 0xffff;
  }

  /** used.ring at a free-running index. */
  void putUsed(int index, int head, int written) {
    int at = RING + 8 * (index & (size - 1));
    INT.setOpaque(used, at, head);
    INT.setOpaque(used, at + 4, written);
  }

  /** used.idx; what was written before it is visible to the guest with it. */
  void publishUsed(int index) {
    SHORT.setRelease(used, INDEX, (short) index);
  }

  void setUsedFlags(int flags) {
    SHORT.setOpaque(used, FLAGS, (short) flags);
  }

  /** avail_event: the guest is to kick once avail.idx has passed this (section 2.7.10). */
  void setAvailableEvent(int index) {
    SHORT.setOpaque(used, RING + 8 * size, (short) index);
  }
}
