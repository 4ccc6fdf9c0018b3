// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * An action behind {@code Ctrl-A} and a key, on a terminal that serves as a guest's console.
 *
 * <p>Registered as an OSGi service with the properties {@link #KEY} and {@link #HELP}. The keys
 * {@code h}, {@code ?} and {@code Ctrl-A} belong to the console. Of several handlers of one key the
 * one with the highest service ranking acts.
 */
@ConsumerType
public interface EscapeHandler {
  /** Service property, a String of one character: the key, such as {@code x}. */
  String KEY = "plex86.console.key";

  /** Service property, a String: what the key does, in a few words, for {@code Ctrl-A h}. */
  String HELP = "plex86.console.help";

  /**
   * The user pressed the key. Called on a thread of its own, whatever state the guest is in. Until
   * this returns, the same key only asks back the terminal that it may have borrowed, and
   * interrupts this thread if it does not give it in time. A key that is pressed after the terminal
   * was given back calls this again, once it has returned.
   *
   * @param terminal where the key was pressed
   */
  void pressed(ConsoleTerminal terminal);
}
