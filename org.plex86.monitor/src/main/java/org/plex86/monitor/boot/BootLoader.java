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
  public static Start load(BootFiles files, String commandLine, GuestRam ram) throws BootException {
    ElfImage elf = loadKernel(files, ram);
    Initrd.Place initrd = loadInitrd(files, ram, elf.end());
    BootParams.write(ram, commandLine, initrd);
    return new Start((int) elf.entry(), BootParams.ADDRESS);
  }

  private static ElfImage loadKernel(BootFiles files, GuestRam ram) throws BootException {
    try (Image image = files.kernel()) {
      try {
        ElfImage elf = kernel(image);
        new ElfLoader(elf, ram).load();
        return elf;
      } catch (IOException e) {
        throw new BootException(image.name() + " cannot be read: " + e.getMessage(), e);
      }
    } catch (IOException e) {
      throw new BootException("the kernel's file cannot be closed: " + e.getMessage(), e);
    }
  }

  private static Initrd.Place loadInitrd(BootFiles files, GuestRam ram, long kernelEnd)
      throws BootException {
    try (BootFiles.SizedImage sized = files.initrd()) {
      return sized.size() == 0
          ? Initrd.Place.NONE
          : new Initrd(sized.image(), sized.size()).load(ram, kernelEnd);
    } catch (IOException e) {
      throw new BootException("the initrd cannot be read: " + e.getMessage(), e);
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
