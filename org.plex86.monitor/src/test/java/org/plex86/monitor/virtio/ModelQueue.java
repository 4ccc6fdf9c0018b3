// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * The guest's side of a split virtqueue, as Linux does it (drivers/virtio/virtio_ring.c of 6.1:
 * virtqueue_add_split, virtqueue_kick_prepare_split, virtqueue_get_buf_ctx_split,
 * virtqueue_enable_cb_prepare_split). For one thread.
 */
public final class ModelQueue {
  private static final VarHandle SHORT =
      MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  /** A buffer of a chain. */
  public record Buffer(long gpa, int length, boolean writable) {}

  /** What the device gave back. */
  public record Used(int head, long written) {}

  private final ByteBuffer ram;
  private final int size;
  private final int descriptors;
  private final int available;
  private final int used;
  private final boolean eventIndex;
  private final Deque<Integer> free = new ArrayDeque<>();
  private final int[][] held;

  private int availableIndex;
  private int kickedIndex;
  private int usedSeen;

  /** A queue whose areas begin at an address that is a multiple of 16. */
  public ModelQueue(PlainMemory memory, long base, int size, boolean eventIndex) {
    ram = memory.all();
    this.size = size;
    this.eventIndex = eventIndex;
    descriptors = (int) base;
    available = descriptors + 16 * size;
    used = available + ((6 + 2 * size + 3) & ~3);
    held = new int[size][];
    ram.put(descriptors, new byte[bytes(size)]); // as vring_alloc_queue does
    for (int i = 0; i < size; i++) {
      free.addLast(i);
    }
  }

  /** How many bytes the areas of a queue take. */
  public static int bytes(int size) {
    return 16 * size + ((6 + 2 * size + 3) & ~3) + 6 + 8 * size;
  }

  public QueueLayout layout() {
    return new QueueLayout(size, descriptors, available, used);
  }

  public int freeDescriptors() {
    return free.size();
  }

  /** Makes a chain of direct descriptors available; returns its head. */
  public int add(List<Buffer> chain) {
    int[] indices = new int[chain.size()];
    for (int i = 0; i < indices.length; i++) {
      indices[i] = free.removeFirst();
    }
    for (int i = 0; i < indices.length; i++) {
      boolean last = i == indices.length - 1;
      Buffer buffer = chain.get(i);
      putDescriptor(
          indices[i],
          buffer.gpa(),
          buffer.length(),
          (buffer.writable() ? ChainReader.WRITE : 0) | (last ? 0 : ChainReader.NEXT),
          last ? 0 : indices[i + 1]);
    }
    held[indices[0]] = indices;
    makeAvailable(indices[0]);
    return indices[0];
  }

  /** Makes a chain by a table at an address available; returns its head. */
  public int addIndirect(List<Buffer> chain, long table) {
    for (int i = 0; i < chain.size(); i++) {
      boolean last = i == chain.size() - 1;
      Buffer buffer = chain.get(i);
      putAt(
          (int) table + 16 * i,
          buffer.gpa(),
          buffer.length(),
          (buffer.writable() ? ChainReader.WRITE : 0) | (last ? 0 : ChainReader.NEXT),
          last ? 0 : i + 1);
    }
    int head = free.removeFirst();
    putDescriptor(head, table, 16 * chain.size(), ChainReader.INDIRECT, 0);
    held[head] = new int[] {head};
    makeAvailable(head);
    return head;
  }

  public void putDescriptor(int index, long gpa, int length, int flags, int next) {
    putAt(descriptors + 16 * index, gpa, length, flags, next);
  }

  public void putAt(int at, long gpa, int length, int flags, int next) {
    ram.putLong(at, gpa);
    ram.putInt(at + 8, length);
    ram.putShort(at + 12, (short) flags);
    ram.putShort(at + 14, (short) next);
  }

  /** Publishes a head, whatever it is. */
  public void makeAvailable(int head) {
    ram.putShort(available + 4 + 2 * (availableIndex & (size - 1)), (short) head);
    availableIndex = (availableIndex + 1) & 0xffff;
    SHORT.setRelease(ram, available + 2, (short) availableIndex);
  }

  /** Sets avail.idx to anything. */
  public void setAvailableIndex(int index) {
    availableIndex = index & 0xffff;
    SHORT.setRelease(ram, available + 2, (short) index);
  }

  /** Whether the device is to be kicked for what was added since the last call. */
  public boolean needsKick() {
    VarHandle.fullFence();
    int before = kickedIndex;
    kickedIndex = availableIndex;
    if (before == availableIndex) {
      return false;
    }
    if (eventIndex) {
      int event = (short) SHORT.getOpaque(ram, used + 4 + 8 * size) & 0xffff;
      // vring_need_event of include/uapi/linux/virtio_ring.h
      return Short.toUnsignedInt((short) (availableIndex - event - 1))
          < Short.toUnsignedInt((short) (availableIndex - before));
    }
    return ((short) SHORT.getOpaque(ram, used) & SplitRings.NO_NOTIFY) == 0;
  }

  /** Takes the next chain that the device gave back; null if there is none. */
  public Used takeUsed() {
    int index = (short) SHORT.getAcquire(ram, used + 2) & 0xffff;
    if (index == usedSeen) {
      return null;
    }
    int at = used + 4 + 8 * (usedSeen & (size - 1));
    int head = ram.getInt(at);
    long written = ram.getInt(at + 4) & 0xffffffffL;
    if (head < 0 || head >= size || held[head] == null) {
      throw new AssertionError("the device gave back " + head + ", which it has not");
    }
    usedSeen = (usedSeen + 1) & 0xffff;
    Arrays.stream(held[head]).forEach(free::addLast);
    held[head] = null;
    return new Used(head, written);
  }

  /**
   * Asks for an interrupt once the device gives something back.
   *
   * @return false: it has done so already
   */
  public boolean enableInterrupts() {
    if (eventIndex) {
      SHORT.setOpaque(ram, available + 4 + 2 * size, (short) usedSeen);
    } else {
      SHORT.setOpaque(ram, available, (short) 0);
    }
    VarHandle.fullFence();
    return ((short) SHORT.getAcquire(ram, used + 2) & 0xffff) == usedSeen;
  }

  public void disableInterrupts() {
    if (eventIndex) {
      // an index that will not be passed soon
      SHORT.setOpaque(ram, available + 4 + 2 * size, (short) (usedSeen - 1));
    } else {
      SHORT.setOpaque(ram, available, (short) SplitRings.NO_INTERRUPT);
    }
  }

  /** used.idx as it is. */
  public int usedIndex() {
    return (short) SHORT.getAcquire(ram, used + 2) & 0xffff;
  }

  /** The guest-physical address of used.ring's element of a free-running index. */
  public int usedElement(int index) {
    return used + 4 + 8 * (index & (size - 1));
  }

  /** avail_event as the device has set it. */
  public int availableEvent() {
    return ram.getShort(used + 4 + 8 * size) & 0xffff;
  }

  /** used_event, to be set to anything. */
  public void setUsedEvent(int event) {
    SHORT.setOpaque(ram, available + 4 + 2 * size, (short) event);
  }

  /** The heads that the device holds. */
  public List<Integer> heldHeads() {
    List<Integer> heads = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      if (held[i] != null) {
        heads.add(i);
      }
    }
    return heads;
  }
}
