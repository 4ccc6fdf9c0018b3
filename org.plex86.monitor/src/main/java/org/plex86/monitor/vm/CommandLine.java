// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import static org.plex86.monitor.control.ControlLayout.PLEX86_IRQ_DEVICE0;
import static org.plex86.monitor.control.ControlLayout.PLEX86_MMIO_BASE;

/** The kernel command line. What every guest needs is built into the kernel. */
final class CommandLine {
  private static final int DEVICE_PAGE = 4096;

  private CommandLine() {}

  /**
   * Names the virtio-mmio devices, as drivers/virtio/virtio_mmio.c wants them, and what the user
   * has to say, which comes last so that it prevails.
   */
  static String of(int devices, String append) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < devices; i++) {
      long address = PLEX86_MMIO_BASE + (long) i * DEVICE_PAGE;
      line.append("virtio_mmio.device=4K@0x")
          .append(Long.toHexString(address))
          .append(':')
          .append(PLEX86_IRQ_DEVICE0 + i)
          .append(' ');
    }
    return line.append(append.strip()).toString().strip();
  }
}
