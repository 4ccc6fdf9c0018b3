// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.plex86.monitor.memory.GuestRam;

/**
 * The "zero page" that a boot loader hands to the kernel: struct boot_params of
 * arch/x86/include/uapi/asm/bootparam.h, offsets as in Documentation/x86/zero-page.rst and
 * boot.rst.
 */
final class BootParams {
  /** Guest-physical address of the structure. */
  static final int ADDRESS = 0x90000;

  /** Bytes of a command line without the zero behind it: COMMAND_LINE_SIZE of x86 less one. */
  static final int COMMAND_LINE_MAX = 2047;

  /** RAM below the first MiB ends here; above would be the BIOS data area. */
  static final int LOW_MEMORY_END = 0x9f000;

  private static final int COMMAND_LINE_ADDRESS = 0x98000;
  private static final int SEED_ADDRESS = 0x99000;

  private static final int E820_ENTRIES = 0x1e8;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int TYPE_OF_LOADER = 0x210;
  private static final int LOADFLAGS = 0x211;
  private static final int RAMDISK_IMAGE = 0x218;
  private static final int RAMDISK_SIZE = 0x21c;
  private static final int COMMAND_LINE_POINTER = 0x228;
  private static final int SETUP_DATA = 0x250;
  private static final int E820_TABLE = 0x2d0;
  private static final int E820_ENTRY = 20;
  private static final int E820_RAM = 1;
  private static final long FIRST_MIB = 0x100000;

  /** setup_data type SETUP_RNG_SEED: without it the guest would wait for entropy. */
  private static final int SETUP_RNG_SEED = 9;

  private static final int SEED_BYTES = 32;

  private BootParams() {}

  /**
   * Writes the parameters and the command line.
   *
   * @throws BootException the command line cannot be passed on
   */
  static void write(GuestRam ram, String commandLine, Initrd.Place initrd) throws BootException {
    writeCommandLine(ram, commandLine);
    ByteBuffer page = ram.slice(ADDRESS, GuestRam.PAGE);
    page.putShort(BOOT_FLAG, (short) 0xaa55);
    page.putInt(HEADER_MAGIC, 0x53726448); // "HdrS"
    page.putShort(VERSION, (short) 0x20f);
    page.put(TYPE_OF_LOADER, (byte) 0xff); // one without a number of its own
    page.put(LOADFLAGS, (byte) 1); // LOADED_HIGH
    page.putInt(COMMAND_LINE_POINTER, COMMAND_LINE_ADDRESS);
    if (initrd.size() > 0) {
      page.putInt(RAMDISK_IMAGE, (int) initrd.address());
      page.putInt(RAMDISK_SIZE, initrd.size());
    }
    memory(page, 0, 0, LOW_MEMORY_END);
    memory(page, 1, FIRST_MIB, ram.size() - FIRST_MIB);
    page.put(E820_ENTRIES, (byte) 2);
    page.putLong(SETUP_DATA, SEED_ADDRESS);
    byte[] seed = new byte[SEED_BYTES];
    new SecureRandom().nextBytes(seed);
    ram.slice(SEED_ADDRESS, 16 + SEED_BYTES)
        .putLong(0) // next: none
        .putInt(SETUP_RNG_SEED)
        .putInt(SEED_BYTES)
        .put(seed);
  }

  private static void writeCommandLine(GuestRam ram, String commandLine) throws BootException {
    byte[] text = commandLine.getBytes(StandardCharsets.UTF_8);
    if (text.length > COMMAND_LINE_MAX) {
      throw new BootException(
          "the kernel command line has "
              + text.length
              + " bytes, at most "
              + COMMAND_LINE_MAX
              + " are possible; shorten --append");
    }
    for (byte b : text) {
      if (b == 0 || b == '\n') {
        throw new BootException("the kernel command line holds a line end or a zero byte");
      }
    }
    ram.slice(COMMAND_LINE_ADDRESS, text.length + 1).put(text).put((byte) 0);
  }

  private static void memory(ByteBuffer page, int index, long start, long size) {
    int at = E820_TABLE + index * E820_ENTRY;
    page.putLong(at, start);
    page.putLong(at + 8, size);
    page.putInt(at + 16, E820_RAM);
  }
}
