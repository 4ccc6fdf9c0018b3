// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.nio.ByteBuffer;

/**
 * Guest RAM by guest-physical address: the addresses from 0 to {@link #size} less 1. Any thread.
 *
 * <p>A direct buffer holds 2 GiB less 1 byte at most, so RAM is seen through one or more windows.
 * Windows should overlap (one at each GiB, each as long as a buffer can be, over one mapping): then
 * no ring and no buffer of less than a GiB is ever split.
 */
public interface GuestMemory {
  /** The size of RAM in bytes, 1 to 2^32. */
  long size();

  /**
   * The window that holds an address, as far as a window goes beyond it.
   *
   * @param gpa 0 to {@link #size} less 1; the caller has checked it
   * @return a shared direct buffer, little-endian, position 0, limit its capacity; callers use
   *     absolute access and {@link ByteBuffer#slice(int, int)} only. Its memory starts at a page.
   */
  ByteBuffer window(long gpa);

  /**
   * The position of an address in its window; less than the window's capacity.
   *
   * @param gpa 0 to {@link #size} less 1
   */
  int offset(long gpa);
}
