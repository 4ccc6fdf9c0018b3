// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * The host's end of a console. Methods are called on the slot's thread, and none blocks for long.
 */
public interface Endpoint {
  /** What the console wants to know. Called on any thread but the slot's. */
  interface Listener {
    /** {@link #read} has bytes. */
    void inputReady();

    /** {@link #write} takes bytes again. */
    void outputReady();

    /** The window of the user has another size. */
    void resized(WindowSize size);

    /**
     * The user is gone: the virtual machine is to end.
     *
     * @param status its result
     */
    void gone(String why, int status);

    /** The output fails; what is written from now on is dropped. */
    void failed(String what, IOException cause);
  }

  /**
   * Takes the resources and starts to read.
   *
   * @param saved what an endpoint of this kind has handed over, if there was one. Where this
   *     throws, all of it is still usable
   * @throws HalException they are not to be had
   */
  void open(Listener listener, Saved saved) throws HalException;

  /** Takes as many of the remaining bytes as there is room for, and tells how many these were. */
  int write(ByteBuffer bytes);

  /** Whether a line feed of text that comes from no tty needs a carriage return. */
  default boolean isRaw() {
    return false;
  }

  /** Moves input into a buffer, and tells how many bytes these were. */
  default int read(ByteBuffer into) {
    return 0;
  }

  /** How much input there is, in bytes. */
  default int available() {
    return 0;
  }

  /** The window's size. */
  default WindowSize size() {
    return WindowSize.UNKNOWN;
  }

  /**
   * Waits until what was written is out.
   *
   * @param stallNanos gives up after this time without progress
   * @param totalNanos gives up after this time
   */
  default void flush(long stallNanos, long totalNanos) throws InterruptedException {}

  /** Gives everything back. */
  void close();

  /** Ends as {@link #close} does, but what the next endpoint needs stays open and is saved. */
  default void handOver(Saved into) {
    close();
  }
}
