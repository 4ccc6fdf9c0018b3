// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A guest's driver over virtio-mmio: goes through the probe as Linux does (virtio_mmio.c and
 * virtio.c of 6.1), reading the register page and writing registers.
 */
public final class ModelGuest {
  /** Takes a register write, as the thread of the exits would. */
  @FunctionalInterface
  public interface Bus {
    void write(int offset, int size, long value);
  }

  /** What a driver of this model acknowledges, among what is offered: the transport's own bits. */
  public static final long TRANSPORT = VirtioFeatures.TRANSPORT;

  private final PlainMemory memory;
  private final ByteBuffer page;
  private final Bus bus;
  private final List<ModelQueue> queues = new ArrayList<>();
  private long nextArea = 0x1000;

  /** A guest that reads the page and writes to the bus. */
  public ModelGuest(PlainMemory memory, ByteBuffer page, Bus bus) {
    this.memory = memory;
    this.page = page.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.bus = bus;
  }

  public int read(int register) {
    return page.getInt(register);
  }

  public void write(int register, int value) {
    bus.write(register, 4, value & 0xffffffffL);
  }

  public int status() {
    return read(MmioRegister.STATUS);
  }

  public int deviceId() {
    return read(MmioRegister.DEVICE_ID);
  }

  public int interruptStatus() {
    return read(MmioRegister.INTERRUPT_STATUS);
  }

  /** As the nexus does on a write to InterruptACK. */
  public void acknowledgeInterrupt() {
    write(MmioRegister.INTERRUPT_ACK, interruptStatus());
  }

  public byte configByte(int at) {
    return page.get(MmioRegister.CONFIG + at);
  }

  /** The features that the device offers. */
  public long offeredFeatures() {
    write(MmioRegister.DEVICE_FEATURES_SEL, 1);
    long high = read(MmioRegister.DEVICE_FEATURES) & 0xffffffffL;
    write(MmioRegister.DEVICE_FEATURES_SEL, 0);
    return high << 32 | (read(MmioRegister.DEVICE_FEATURES) & 0xffffffffL);
  }

  public void addStatus(int bits) {
    write(MmioRegister.STATUS, status() | bits);
  }

  public void reset() {
    write(MmioRegister.STATUS, 0);
    queues.clear();
    nextArea = 0x1000;
  }

  /** Up to FEATURES_OK; returns whether the device has taken the features. */
  public boolean negotiate(long features) {
    addStatus(DeviceStatus.ACKNOWLEDGE);
    addStatus(DeviceStatus.DRIVER);
    write(MmioRegister.DRIVER_FEATURES_SEL, 1);
    write(MmioRegister.DRIVER_FEATURES, (int) (features >>> 32));
    write(MmioRegister.DRIVER_FEATURES_SEL, 0);
    write(MmioRegister.DRIVER_FEATURES, (int) features);
    addStatus(DeviceStatus.FEATURES_OK);
    return (status() & DeviceStatus.FEATURES_OK) != 0;
  }

  /** Sets up a queue of a size. */
  public ModelQueue makeQueue(int number, int size, boolean eventIndex) {
    ModelQueue queue = new ModelQueue(memory, nextArea, size, eventIndex);
    nextArea = (nextArea + ModelQueue.bytes(size) + 4095) & ~4095L;
    setUpQueue(number, queue.layout());
    queues.add(queue);
    return queue;
  }

  void setUpQueue(int number, QueueLayout layout) {
    write(MmioRegister.QUEUE_SEL, number);
    write(MmioRegister.QUEUE_NUM, layout.size());
    write(MmioRegister.QUEUE_DESC_LOW, (int) layout.descriptors());
    write(MmioRegister.QUEUE_DESC_HIGH, (int) (layout.descriptors() >>> 32));
    write(MmioRegister.QUEUE_DRIVER_LOW, (int) layout.driverArea());
    write(MmioRegister.QUEUE_DRIVER_HIGH, (int) (layout.driverArea() >>> 32));
    write(MmioRegister.QUEUE_DEVICE_LOW, (int) layout.deviceArea());
    write(MmioRegister.QUEUE_DEVICE_HIGH, (int) (layout.deviceArea() >>> 32));
    write(MmioRegister.QUEUE_READY, 1);
  }

  /** The whole probe, with queues of these sizes; all offered features are acknowledged. */
  public List<ModelQueue> probe(int... sizes) {
    if (!negotiate(offeredFeatures())) {
      throw new AssertionError("the device does not take its own features");
    }
    for (int i = 0; i < sizes.length; i++) {
      makeQueue(i, sizes[i], true);
    }
    addStatus(DeviceStatus.DRIVER_OK);
    return List.copyOf(queues);
  }
}
