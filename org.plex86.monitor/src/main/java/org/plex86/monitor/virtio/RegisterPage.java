// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The register page of a device. The guest reads it with no exit, so it holds at any time what a
 * read of each register is to give. Any thread; callers order their stores by a lock, but for the
 * interrupt status, which the nexus changes too.
 */
public final class RegisterPage {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int MAGIC = 0x74726976; // "virt"
  private static final int MMIO_VERSION = 2;
  private static final int VENDOR = 0x36584c50; // "PLX6"

  private final ByteBuffer page;

  /**
   * A page of a slot without a device (DeviceID 0, section 4.2.3.1.1).
   *
   * @param page a direct buffer of 4096 bytes that starts at a page
   */
  public RegisterPage(ByteBuffer page) {
    if (page.capacity() != MmioRegister.PAGE) {
      throw new IllegalArgumentException("a register page of " + page.capacity() + " bytes");
    }
    this.page = page.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < MmioRegister.PAGE; at += Long.BYTES) {
      LONG.setRelease(this.page, at, 0L);
    }
    set(MmioRegister.VERSION, MMIO_VERSION);
    set(MmioRegister.VENDOR_ID, VENDOR);
    // no shared memory region: all reads give ones (section 4.2.2, SHMLen)
    set(MmioRegister.SHM_LEN_LOW, -1);
    set(MmioRegister.SHM_LEN_HIGH, -1);
    set(MmioRegister.SHM_BASE_LOW, -1);
    set(MmioRegister.SHM_BASE_HIGH, -1);
    set(MmioRegister.MAGIC_VALUE, MAGIC);
  }

  void set(int register, int value) {
    INT.setRelease(page, register, value);
  }

  /** Sets bits that the guest acknowledges by InterruptACK, which clears them in the nexus. */
  void interrupt(int bits) {
    INT.getAndBitwiseOr(page, MmioRegister.INTERRUPT_STATUS, bits);
  }

  void acknowledge(int bits) {
    INT.getAndBitwiseAnd(page, MmioRegister.INTERRUPT_STATUS, ~bits);
  }

  /**
   * Stores the configuration space, its rest as zeros. Fields of up to 8 bytes that are aligned
   * change as a whole.
   */
  void setConfig(byte[] config) {
    for (int at = 0; at < MmioRegister.CONFIG_MAX; at += Long.BYTES) {
      long value = 0;
      for (int i = Math.min(config.length - at, Long.BYTES) - 1; i >= 0; i--) {
        value = value << 8 | (config[at + i] & 0xff);
      }
      LONG.setRelease(page, MmioRegister.CONFIG + at, value);
    }
  }
}
