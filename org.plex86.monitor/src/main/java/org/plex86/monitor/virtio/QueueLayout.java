// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/**
 * Where the guest has put a split virtqueue (section 2.7): as it says, not yet checked.
 *
 * @param size the number of descriptors
 * @param descriptors guest-physical address of the descriptor table
 * @param driverArea guest-physical address of the available ring
 * @param deviceArea guest-physical address of the used ring
 */
record QueueLayout(int size, long descriptors, long driverArea, long deviceArea) {
  static final int DESCRIPTOR_BYTES = 16;

  /** flags, idx, the ring of heads, used_event. */
  int driverAreaBytes() {
    return 6 + 2 * size;
  }

  /** flags, idx, the ring of (id, len), avail_event. */
  int deviceAreaBytes() {
    return 6 + 8 * size;
  }

  /** Checks all that section 2.7 demands of size, alignment and place. */
  void check(int greatestSize, GuestMemory memory) throws RingViolation {
    if (size < 1 || size > greatestSize || Integer.bitCount(size) != 1) {
      throw new RingViolation(
          "queue size " + size + " is not a power of two from 1 to " + greatestSize);
    }
    checkArea("descriptor table", descriptors, 16, DESCRIPTOR_BYTES * size, memory);
    checkArea("available ring", driverArea, 2, driverAreaBytes(), memory);
    checkArea("used ring", deviceArea, 4, deviceAreaBytes(), memory);
  }

  private static void checkArea(String name, long gpa, int alignment, int bytes, GuestMemory memory)
      throws RingViolation {
    if ((gpa & (alignment - 1)) != 0) {
      throw new RingViolation(
          "%s at 0x%x is not aligned to %d bytes".formatted(name, gpa, alignment));
    }
    if (!MemoryAccess.contains(memory, gpa, bytes)) {
      throw new RingViolation(
          "%s of %d bytes at 0x%x is outside RAM of 0x%x bytes"
              .formatted(name, bytes, gpa, memory.size()));
    }
    if (MemoryAccess.contiguous(memory, gpa, bytes) == null) {
      throw new RingViolation("%s at 0x%x crosses a window of RAM".formatted(name, gpa));
    }
  }
}
