// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.monitor.memory.GuestRam;

/** Loads all that a guest starts from. One thread. */
public final class BootLoader {
  private static final int ELF_MAGIC = 0x464c457f;

  private BootLoader() {}

  /**
   * Where the guest starts.
   *
   * @param entry guest-physical address, with paging off
   * @param bootParams guest-physical address, in esi at the entry
   */
  public record Start(int entry, int bootParams) {}

  /**
   * Loads a kernel, an initial RAM disk, the command line and the boot parameters.
   *
   * @param ram all zero
   * @throws BootException what is wrong with the files
   */
  public static Start load(BootFiles files, String commandLine, GuestRam ram)
      throws BootException, IOException {
    try (Image image = files.kernel()) {
      ElfImage elf = kernel(image);
      new ElfLoader(elf, ram).load();
      long address = 0;
      int size = 0;
      try (BootFiles.SizedImage sized = files.initrd()) {
        if (sized.size() > 0) {
          Initrd initrd = new Initrd(sized.image(), sized.size());
          address = initrd.load(ram, elf.end());
          size = initrd.size();
        }
      }
      BootParams.write(ram, commandLine, address, size);
      return new Start((int) elf.entry(), BootParams.ADDRESS);
    }
  }

  private static ElfImage kernel(Image image) throws BootException, IOException {
    ByteBuffer magic = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    try {
      image.read(0, magic);
    } catch (java.io.EOFException e) {
      throw new BootException(image.name() + " is too short to be a kernel", e);
    }
    if (magic.getInt(0) == ELF_MAGIC) {
      return ElfImage.read(image);
    }
    if (!BzImage.is(image)) {
      throw new BootException(
          image.name() + " is not a kernel: neither an ELF vmlinux nor a bzImage");
    }
    Image payload = BzImage.payload(image);
    try {
      payload.read(0, magic.clear());
    } catch (IOException e) {
      throw new BootException(
          image.name() + " is a damaged bzImage: its payload cannot be unpacked", e);
    }
    if (magic.getInt(0) != ELF_MAGIC) {
      throw new BootException(image.name() + " is a bzImage without an ELF kernel in it");
    }
    return ElfImage.read(payload);
  }
}
