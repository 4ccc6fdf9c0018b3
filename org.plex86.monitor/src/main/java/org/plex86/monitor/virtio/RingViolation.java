// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

/**
 * The guest broke the rules of a virtqueue. Never leaves this package: it breaks the device. The
 * message says what was found, with the numbers, for the log.
 */
final class RingViolation extends Exception {
  private static final long serialVersionUID = 1L;

  RingViolation(String message) {
    // no stack trace: a hostile guest must not be able to make this dear
    super(message, null, false, false);
  }
}
