// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.util.Arrays;

/** A set of numbers that are not negative, 16 bytes an entry at most. For one thread at a time. */
final class LongSet {
  private static final long EMPTY = -1;

  private long[] slots = newSlots(64);
  private int size;

  private static long[] newSlots(int count) {
    long[] slots = new long[count];
    Arrays.fill(slots, EMPTY);
    return slots;
  }

  /** Adds a number; returns whether it was not there. */
  boolean add(long value) {
    int at = find(value);
    if (slots[at] == value) {
      return false;
    }
    slots[at] = value;
    if (++size * 2 > slots.length) {
      long[] old = slots;
      slots = newSlots(old.length * 2);
      for (long each : old) {
        if (each != EMPTY) {
          slots[find(each)] = each;
        }
      }
    }
    return true;
  }

  /** Removes a number, if it is there. */
  void remove(long value) {
    int mask = slots.length - 1;
    int hole = find(value);
    if (slots[hole] == EMPTY) {
      return;
    }
    size--;
    slots[hole] = EMPTY;
    // those that follow may have been put there because of the removed one
    for (int at = (hole + 1) & mask; slots[at] != EMPTY; at = (at + 1) & mask) {
      long moved = slots[at];
      slots[at] = EMPTY;
      slots[find(moved)] = moved;
    }
  }

  boolean contains(long value) {
    return slots[find(value)] == value;
  }

  private int find(long value) {
    int mask = slots.length - 1;
    int at = (int) ((value * 0x9e3779b97f4a7c15L) >>> 33) & mask;
    while (slots[at] != EMPTY && slots[at] != value) {
      at = (at + 1) & mask;
    }
    return at;
  }
}
