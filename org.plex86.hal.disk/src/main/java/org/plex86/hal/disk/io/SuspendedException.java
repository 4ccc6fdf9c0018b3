// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import java.io.IOException;

/**
 * A wait for the medium was ended, as the file goes to another driver: no fault of the host. What
 * was waited for goes on, and the next driver gets its outcome.
 */
public final class SuspendedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** With the same message always. */
  public SuspendedException() {
    super("the file goes to another driver");
  }
}
