// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.Arrays;

/**
 * The checked buffers of one descriptor chain: ranges that lie in RAM, the device-readable ones
 * first. Reused for other chains of its queue once completed.
 */
final class DescriptorChain {
  private int head;
  private int count;
  private int readableCount;
  private long readableBytes;
  private long writableBytes;
  private long[] addresses = new long[8];
  private long[] lengths = new long[8];

  /** Neighbours in the order in which packets were taken; for {@link InFlight}. */
  DescriptorChain earlier;

  DescriptorChain later;

  /** Starts over with a chain of this head. */
  void begin(int newHead) {
    head = newHead;
    count = 0;
    readableCount = 0;
    readableBytes = 0;
    writableBytes = 0;
  }

  /** Adds a range. The caller has checked it, and the order: no readable one after a writable. */
  void add(long gpa, long length, boolean writable) {
    if (count == addresses.length) {
      addresses = Arrays.copyOf(addresses, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    addresses[count] = gpa;
    lengths[count] = length;
    count++;
    if (writable) {
      writableBytes += length;
    } else {
      readableCount++;
      readableBytes += length;
    }
  }

  /** A chain of the same buffers: what was handed out of this one keeps nothing of the copy. */
  DescriptorChain copy() {
    DescriptorChain copy = new DescriptorChain();
    copy.head = head;
    copy.count = count;
    copy.readableCount = readableCount;
    copy.readableBytes = readableBytes;
    copy.writableBytes = writableBytes;
    copy.addresses = addresses.clone();
    copy.lengths = lengths.clone();
    return copy;
  }

  int head() {
    return head;
  }

  /** The number of ranges; those from {@link #readableCount} on are device-writable. */
  int count() {
    return count;
  }

  int readableCount() {
    return readableCount;
  }

  long readableBytes() {
    return readableBytes;
  }

  long writableBytes() {
    return writableBytes;
  }

  long address(int index) {
    return addresses[index];
  }

  long length(int index) {
    return lengths[index];
  }
}
