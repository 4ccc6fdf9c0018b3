// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console;

import java.io.InputStream;
import java.io.OutputStream;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The user's terminal in the hands of an {@link EscapeHandler}: raw, without echo or translation of
 * line ends. Any thread.
 *
 * <p>The loan ends with {@link #close}. When the user presses {@code Ctrl-A} and the handler's key
 * again, or the console is closed, the input is at its end; the holder then has half a second to
 * put the terminal in order and to close the loan, before the output throws an exception and, after
 * the key, the handler's thread is interrupted.
 */
@ProviderType
public interface TerminalLoan extends AutoCloseable {
  /** What the user types, as bytes. Reading blocks. */
  InputStream input();

  /** The terminal's display. Writing blocks while the terminal is slow. */
  OutputStream output();

  /** The terminal's width in characters, 0 if not known. */
  int columns();

  /** The terminal's height in characters, 0 if not known. */
  int rows();

  /** Runs an action after each change of size, on the console's thread: it must not block. */
  void onResize(Runnable action);

  /** Gives the terminal back to the guest. Closing twice is harmless. */
  @Override
  void close();
}
