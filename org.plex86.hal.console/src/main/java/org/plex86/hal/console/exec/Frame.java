// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The frames of the exec port. */
final class Frame {
  static final int HEADER = 8;
  static final int MAX_PAYLOAD = 1 << 16;

  /** To the guest: the command, for {@code /bin/sh -c}; once, in answer to {@link #READY}. */
  static final int RUN = 1;

  /** To the guest: bytes of standard input; none at its end. */
  static final int STDIN = 2;

  /** To the guest: a signal number (4 bytes) for the command's process group. */
  static final int SIGNAL = 3;

  /** From the guest: it is up; first, once, without payload. */
  static final int READY = 0x80;

  /** From the guest: bytes of standard output. */
  static final int STDOUT = 0x81;

  /** From the guest: bytes of standard error. */
  static final int STDERR = 0x82;

  /** From the guest: the command's exit status (4 bytes), or 128 and the signal; the last frame. */
  static final int EXIT = 0x83;

  /** From the guest: it takes that many more bytes (4 bytes) of standard input. */
  static final int STDIN_WINDOW = 0x84;

  private Frame() {}

  /** Starts a frame in an empty buffer. */
  static ByteBuffer begin(ByteBuffer buffer, int type, int length) {
    return buffer.clear().order(ByteOrder.LITTLE_ENDIAN).putInt(type).putInt(length);
  }
}
