// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.util.Arrays;

/**
 * Text that passed no tty, for a raw terminal: there a line feed alone does not go back to the
 * first column. One thread.
 */
final class LineEnds {
  private byte last;

  /** What the text ended with so far; 0 before any. */
  byte last() {
    return last;
  }

  /** The text goes on after this byte. */
  void resume(byte lastBefore) {
    last = lastBefore;
  }

  /** The next piece of the text, with a carriage return before each line feed that has none. */
  byte[] of(byte[] text) {
    byte[] lines = new byte[2 * text.length];
    int length = 0;
    for (byte next : text) {
      if (next == '\n' && last != '\r') {
        lines[length++] = '\r';
      }
      lines[length++] = next;
      last = next;
    }
    return Arrays.copyOf(lines, length);
  }
}
