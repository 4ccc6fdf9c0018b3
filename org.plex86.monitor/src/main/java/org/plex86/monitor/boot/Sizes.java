// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

/** Sizes for messages. */
final class Sizes {
  private Sizes() {}

  static long mebibytes(long bytes) {
    return bytes >> 20;
  }

  static long mebibytesUp(long bytes) {
    return (bytes + (1L << 20) - 1) >> 20;
  }
}
