// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console;

import org.osgi.annotation.versioning.ProviderType;

/** The user's terminal while it serves as the console of a guest. Any thread. */
@ProviderType
public interface ConsoleTerminal {
  /** The name of the virtual machine whose console this is. */
  String vmName();

  /** Shows one line of the host's among the guest's output. */
  void say(String line);

  /**
   * Takes the terminal from the guest until the loan is closed. What the guest prints meanwhile is
   * held back and shown afterwards; beyond what the console can hold, the guest waits.
   *
   * @throws IllegalStateException the terminal is lent already, or the console is closed
   */
  TerminalLoan borrow();
}
