// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

/** A channel cannot do what it was asked for. The message is one line for the user. */
public final class HalException extends Exception {
  private static final long serialVersionUID = 1L;

  /** An error with a message that says what is wrong and what to do. */
  public HalException(String message) {
    super(message);
  }

  /** An error that was caused by another one. */
  public HalException(String message, Throwable cause) {
    super(message, cause);
  }
}
