// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import org.plex86.hal.console.terminal.EscapeRegistry;

/** Standard input and output that are other descriptors, for tests of other packages. */
public final class StdioEndpoints {
  private StdioEndpoints() {}

  public static Endpoint over(int inputFd, int outputFd, EscapeRegistry escapes) {
    return new StdioEndpoint("vm1", "console0", escapes, inputFd, outputFd);
  }
}
