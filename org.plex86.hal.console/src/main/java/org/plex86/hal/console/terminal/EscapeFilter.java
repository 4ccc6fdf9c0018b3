// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.nio.ByteBuffer;

/** Tells what the user types from the keys behind Ctrl-A. One thread. */
final class EscapeFilter {
  static final byte CTRL_A = 1;

  /** What was typed, in order. */
  interface Target {
    /** Bytes as they are; the target takes them all. */
    void data(ByteBuffer bytes);

    /** Ctrl-A and a key. */
    void key(char key);
  }

  private boolean escaped;

  /** Whether Ctrl-A was typed, and not yet the key after it. */
  boolean isEscaped() {
    return escaped;
  }

  /** Goes on where another filter was. */
  void resume(boolean wasEscaped) {
    escaped = wasEscaped;
  }

  /** Takes the next bytes from the terminal. */
  void feed(ByteBuffer bytes, Target target) {
    while (bytes.hasRemaining()) {
      if (escaped) {
        escaped = false;
        if (bytes.get(bytes.position()) == CTRL_A) {
          target.data(bytes.slice(bytes.position(), 1));
          bytes.get();
        } else {
          target.key((char) (bytes.get() & 0xff));
        }
        continue;
      }
      int start = bytes.position();
      while (bytes.hasRemaining() && !escaped) {
        escaped = bytes.get() == CTRL_A;
      }
      int length = bytes.position() - start - (escaped ? 1 : 0);
      if (length > 0) {
        target.data(bytes.slice(start, length));
      }
    }
  }
}
