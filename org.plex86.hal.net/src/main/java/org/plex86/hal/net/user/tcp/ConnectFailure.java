// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.io.IOException;
import java.net.NoRouteToHostException;

/** Why a socket of the host's did not connect. */
final class ConnectFailure {
  private ConnectFailure() {}

  /**
   * Whether nobody answered. Otherwise the peer did: it refused, or accepted and reset before the
   * guest could learn of it.
   */
  static boolean isSilence(IOException cause) {
    // Linux's words for ETIMEDOUT and ENETUNREACH, for which the JDK has no classes.
    String words = String.valueOf(cause.getMessage());
    return cause instanceof NoRouteToHostException
        || words.contains("timed out")
        || words.contains("unreachable");
  }
}
