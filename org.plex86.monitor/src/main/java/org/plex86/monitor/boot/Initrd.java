// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.monitor.memory.GuestRam;

/** Places an initial RAM disk as high as the kernel reaches without moving it. */
final class Initrd {
  /** Where it is: a guest-physical address and a size in bytes, which is 0 for none. */
  record Place(long address, int size) {
    static final Place NONE = new Place(0, 0);
  }

  /**
   * The kernel maps memory below this in any configuration (lowmem ends 128 MiB of vmalloc space
   * and the reserved top below 4 GiB, seen from 3 GiB: arch/x86/include/asm/pgtable_32_areas.h).
   * Above, it would have to copy the RAM disk at boot.
   */
  static final long LIMIT = 0x36000000;

  /** What the kernel needs behind its image before it has read the memory map: page tables. */
  private static final long SLACK = 1 << 20;

  private final String name;
  private final int size;
  private final Image image;

  /**
   * A RAM disk.
   *
   * @param size in bytes, of the whole image
   */
  Initrd(Image image, long size) throws BootException {
    this.image = image;
    name = image.name();
    if (size > LIMIT) {
      throw new BootException(
          "the initrd "
              + name
              + " has "
              + Sizes.mebibytesUp(size)
              + "M; that is more than any machine can hold");
    }
    this.size = (int) size;
  }

  /**
   * Reads it into RAM.
   *
   * @param kernelEnd guest-physical address behind the kernel
   * @return where it is
   * @throws BootException it does not fit
   */
  Place load(GuestRam ram, long kernelEnd) throws BootException, IOException {
    long top = Math.min(ram.size(), LIMIT);
    long address = (top - size) & -GuestRam.PAGE;
    if (address < kernelEnd + SLACK) {
      throw new BootException(
          "the initrd "
              + name
              + " of "
              + Sizes.mebibytesUp(size)
              + "M does not fit behind the kernel into "
              + Sizes.mebibytes(ram.size())
              + "M of memory; give the machine more"
              + (top == LIMIT ? ", or make the initrd smaller" : ""));
    }
    ByteBuffer into = ram.slice(address, size);
    image.read(0, into);
    return new Place(address, size);
  }
}
