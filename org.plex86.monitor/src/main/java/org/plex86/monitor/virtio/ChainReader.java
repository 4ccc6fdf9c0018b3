// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads descriptor chains (section 2.7.5) out of guest memory and checks them.
 *
 * <p>The guest may change what is read here at any time, so each descriptor is read once: a direct
 * one by two atomic loads, an indirect table by one copy. A loop shows as a chain that is longer
 * than its table, so no walk takes more steps than {@link #greatestLength}.
 */
final class ChainReader {
  static final int NEXT = 1;
  static final int WRITE = 2;
  static final int INDIRECT = 4;

  /**
   * Most descriptors of a chain where the queue is smaller. Section 2.7.5.3.1 has the queue's size
   * as the limit, which Linux does not keep with indirect tables; QEMU takes 1024 too
   * (VIRTQUEUE_MAX_SIZE).
   */
  static final int CHAIN_LIMIT = 1024;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long CHAIN_BYTES_LIMIT = 1L << 32; // section 2.7.4.2

  private final SplitRings rings;
  private final GuestMemory memory;
  private final boolean indirect;
  private final int greatestLength;
  private byte[] table = new byte[64 * QueueLayout.DESCRIPTOR_BYTES];

  /** Whether the guest may use indirect tables is what was negotiated. */
  ChainReader(SplitRings rings, GuestMemory memory, boolean indirect) {
    this.rings = rings;
    this.memory = memory;
    this.indirect = indirect;
    greatestLength = Math.max(rings.size(), CHAIN_LIMIT);
  }

  /**
   * Reads the chain that starts at a descriptor.
   *
   * @param head less than the queue's size
   */
  void read(int head, DescriptorChain into) throws RingViolation {
    into.begin(head);
    int index = head;
    for (int steps = 1; ; steps++) {
      if (steps > rings.size()) {
        throw new RingViolation(
            "the chain of descriptor %d loops: it is longer than the queue of %d"
                .formatted(head, rings.size()));
      }
      long address = rings.descriptorAddress(index);
      long rest = rings.descriptorRest(index);
      int flags = flags(rest);
      if ((flags & INDIRECT) != 0) {
        if (!indirect) {
          throw new RingViolation(
              "descriptor %d is INDIRECT, which was not negotiated".formatted(index));
        }
        if ((flags & NEXT) != 0) {
          throw new RingViolation("descriptor %d has both INDIRECT and NEXT".formatted(index));
        }
        readTable(index, address, length(rest), into);
        return;
      }
      add(index, address, rest, into);
      if ((flags & NEXT) == 0) {
        return;
      }
      index = next(rest);
      if (index >= rings.size()) {
        throw new RingViolation(
            "the chain of descriptor %d goes on at %d, beyond the queue of %d"
                .formatted(head, index, rings.size()));
      }
    }
  }

  private void readTable(int index, long address, long bytes, DescriptorChain into)
      throws RingViolation {
    if (bytes == 0 || bytes % QueueLayout.DESCRIPTOR_BYTES != 0) {
      throw new RingViolation(
          "the indirect table of descriptor %d has %d bytes, not a multiple of 16 above 0"
              .formatted(index, bytes));
    }
    long entries = bytes / QueueLayout.DESCRIPTOR_BYTES;
    if (entries > greatestLength) {
      throw new RingViolation(
          "the indirect table of descriptor %d has %d entries, more than %d"
              .formatted(index, entries, greatestLength));
    }
    checkRange("the indirect table", index, address, bytes);
    if (table.length < bytes) {
      table = new byte[greatestLength * QueueLayout.DESCRIPTOR_BYTES];
    }
    MemoryAccess.read(memory, address, table, 0, (int) bytes);
    walkTable(index, (int) entries, into);
  }

  private void walkTable(int table0, int entries, DescriptorChain into) throws RingViolation {
    int index = 0;
    for (int steps = 1; ; steps++) {
      if (steps > entries) {
        throw new RingViolation(
            "the indirect table of descriptor %d loops: its chain is longer than its %d entries"
                .formatted(table0, entries));
      }
      int at = index * QueueLayout.DESCRIPTOR_BYTES;
      long address = (long) LONG.get(table, at);
      long rest = (long) LONG.get(table, at + 8);
      if ((flags(rest) & INDIRECT) != 0) {
        throw new RingViolation(
            "entry %d of the indirect table of descriptor %d is INDIRECT itself"
                .formatted(index, table0));
      }
      add(index, address, rest, into);
      if ((flags(rest) & NEXT) == 0) {
        return;
      }
      index = next(rest);
      if (index >= entries) {
        throw new RingViolation(
            "the indirect table of descriptor %d goes on at %d, beyond its %d entries"
                .formatted(table0, index, entries));
      }
    }
  }

  private void add(int index, long address, long rest, DescriptorChain into) throws RingViolation {
    long length = length(rest);
    boolean writable = (flags(rest) & WRITE) != 0;
    if (length == 0) {
      throw new RingViolation("descriptor %d has zero length".formatted(index));
    }
    checkRange("the buffer", index, address, length);
    if (!writable && into.writableBytes() != 0) {
      throw new RingViolation(
          "descriptor %d is device-readable after a device-writable one".formatted(index));
    }
    if (into.count() == greatestLength) {
      throw new RingViolation(
          "the chain of descriptor %d has more than %d buffers"
              .formatted(into.head(), greatestLength));
    }
    if (into.readableBytes() + into.writableBytes() + length > CHAIN_BYTES_LIMIT) {
      throw new RingViolation(
          "the chain of descriptor %d has more than 2^32 bytes".formatted(into.head()));
    }
    into.add(address, length, writable);
  }

  private void checkRange(String what, int index, long address, long length) throws RingViolation {
    if (!MemoryAccess.contains(memory, address, length)) {
      throw new RingViolation(
          "%s of descriptor %d, %d bytes at 0x%x, is outside RAM of 0x%x bytes"
              .formatted(what, index, length, address, memory.size()));
    }
  }

  private static long length(long rest) {
    return rest & 0xffffffffL;
  }

  private static int flags(long rest) {
    return (int) (rest >>> 32) & 0xffff;
  }

  private static int next(long rest) {
    return (int) (rest >>> 48);
  }
}
