// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

/** The command line is wrong. The message is one line that says what is wrong and what to do. */
public final class UsageException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Makes one with its line. */
  public UsageException(String message) {
    super(message);
  }
}
