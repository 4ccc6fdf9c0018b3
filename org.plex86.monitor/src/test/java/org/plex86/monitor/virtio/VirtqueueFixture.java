// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.ArrayList;
import java.util.List;

/** A virtqueue of the device and its guest over RAM that is split in two. */
final class VirtqueueFixture implements Virtqueue.Owner {
  static final int RAM = 1 << 20;
  static final int SPLIT = RAM / 2;
  static final int BASE = 0x1000;

  final PlainMemory memory = new PlainMemory(RAM, SPLIT);
  final ModelQueue guest;
  final Virtqueue device;
  final List<String> violations = new ArrayList<>();
  int interrupts;

  VirtqueueFixture(int size, boolean eventIndex) throws RingViolation {
    guest = new ModelQueue(memory, BASE, size, eventIndex);
    guest.layout().check(32768, memory);
    device = new Virtqueue(0, guest.layout(), features(eventIndex), memory, this);
  }

  static long features(boolean eventIndex) {
    return VirtioFeatures.INDIRECT
        | VirtioFeatures.VERSION_1
        | (eventIndex ? VirtioFeatures.EVENT_INDEX : 0);
  }

  @Override
  public void violated(int queue, String what) {
    violations.add(what);
  }

  @Override
  public void interrupt() {
    interrupts++;
  }

  static ModelQueue.Buffer readable(long gpa, int length) {
    return new ModelQueue.Buffer(gpa, length, false);
  }

  static ModelQueue.Buffer writable(long gpa, int length) {
    return new ModelQueue.Buffer(gpa, length, true);
  }
}
