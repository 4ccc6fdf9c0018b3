// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Early output of the guest on its way to the channel. The guest makes it as fast as it likes, so
 * what the channel has not taken is bounded. Any thread.
 */
final class EarlyOutput {
  /** Most bytes that wait. */
  static final int BOUND = 256 << 10;

  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private long lost;

  /** Adds text, or counts it as lost. Returns whether somebody must be told to take it. */
  synchronized boolean add(byte[] more) {
    boolean wasEmpty = text.size() == 0;
    if (text.size() + more.length > BOUND) {
      lost += more.length;
      return false;
    }
    text.write(more, 0, more.length);
    return wasEmpty;
  }

  synchronized boolean hasText() {
    return text.size() > 0;
  }

  /** All that waits. */
  synchronized byte[] take() {
    if (lost > 0) {
      byte[] note = ("\n[" + lost + " bytes lost]\n").getBytes(StandardCharsets.US_ASCII);
      text.write(note, 0, note.length);
      lost = 0;
    }
    byte[] all = text.toByteArray();
    text.reset();
    return all;
  }
}
