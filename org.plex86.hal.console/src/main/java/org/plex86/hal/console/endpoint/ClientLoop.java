// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;

/** Moves bytes between a client that comes and goes and two buffers. */
interface ClientLoop extends Runnable {
  /** What happens. Called on the loop's thread. */
  interface Events {
    /** A client is there; {@link #admit} is to be called when the output is ready for it. */
    void connected();

    void inputReady();

    /** Bytes were written, or dropped with their client. */
    void wrote();

    /** There is room for output again that there was none for. */
    void outputReady();

    /** The loop ends. */
    void failed(IOException cause);
  }

  /** Whether there is a client that was admitted. */
  boolean hasClient();

  /** From now on output is for the client. */
  void admit();

  /** Whether output did not fit. */
  void starved(boolean now);

  /** The buffers have changed. Any thread. */
  void wake();

  /** The loop ends soon. Any thread. */
  void stop();
}
