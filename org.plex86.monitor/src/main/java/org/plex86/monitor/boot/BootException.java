// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

/** A machine cannot be booted from what was given. The message is one line for the user. */
public final class BootException extends Exception {
  private static final long serialVersionUID = 1L;

  /** An error with a message that says what is wrong and what to do. */
  public BootException(String message) {
    super(message);
  }

  /** An error that was caused by another one. */
  public BootException(String message, Throwable cause) {
    super(message, cause);
  }
}
