// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/** The interrupt line of one device. */
@FunctionalInterface
public interface InterruptLine {
  /**
   * Raises the line: makes it pending and wakes or interrupts the virtual CPU if need be. The
   * device's InterruptStatus was set before, with release or stronger order. Any thread; must not
   * block and must not throw, also after the end of the virtual machine.
   */
  void raise();
}
