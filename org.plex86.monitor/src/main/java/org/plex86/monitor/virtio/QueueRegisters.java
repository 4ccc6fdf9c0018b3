// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/** What the guest has set of one queue, behind QueueSel. Guarded by the transport's lock. */
final class QueueRegisters {
  private int size;
  private long descriptors;
  private long driverArea;
  private long deviceArea;
  private boolean ready;

  boolean isReady() {
    return ready;
  }

  void setReady(boolean ready) {
    this.ready = ready;
  }

  int size() {
    return size;
  }

  QueueLayout layout() {
    return new QueueLayout(size, descriptors, driverArea, deviceArea);
  }

  /** A write to one of the registers of size and place; those of a ready queue are fixed. */
  void write(int register, int value) {
    if (ready) {
      return;
    }
    switch (register) {
      case MmioRegister.QUEUE_NUM -> size = value;
      case MmioRegister.QUEUE_DESC_LOW -> descriptors = withLow(descriptors, value);
      case MmioRegister.QUEUE_DESC_HIGH -> descriptors = withHigh(descriptors, value);
      case MmioRegister.QUEUE_DRIVER_LOW -> driverArea = withLow(driverArea, value);
      case MmioRegister.QUEUE_DRIVER_HIGH -> driverArea = withHigh(driverArea, value);
      case MmioRegister.QUEUE_DEVICE_LOW -> deviceArea = withLow(deviceArea, value);
      case MmioRegister.QUEUE_DEVICE_HIGH -> deviceArea = withHigh(deviceArea, value);
      default -> {} // read-only or unknown: no effect
    }
  }

  private static long withLow(long address, int low) {
    return (address & ~0xffffffffL) | (low & 0xffffffffL);
  }

  private static long withHigh(long address, int high) {
    return (address & 0xffffffffL) | (long) high << 32;
  }
}
