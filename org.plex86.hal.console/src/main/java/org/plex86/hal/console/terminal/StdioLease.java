// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.util.HexFormat;
import java.util.Properties;
import java.util.UUID;
import org.plex86.hal.api.HalException;

/**
 * Who of the consoles in this JVM has the process's standard input and output: one at a time.
 *
 * <p>Kept in system properties, since two versions of this bundle share no classes while one takes
 * over from the other: the newer one must learn the terminal's modes from before the older one, and
 * the older one must not put them back.
 */
public final class StdioLease {
  private static final String HOLDER = "plex86.console.stdio.holder";
  private static final String TOKEN = "plex86.console.stdio.token";
  private static final String MODES = "plex86.console.stdio.modes";

  private final String token = UUID.randomUUID().toString();

  private StdioLease() {}

  /**
   * Takes standard input and output, from nobody or from an earlier driver of the same channel.
   *
   * @throws HalException another channel has them
   */
  public static StdioLease take(String vmName, String channelName) throws HalException {
    String holder = vmName + "/" + channelName;
    Properties shared = System.getProperties();
    synchronized (shared) {
      String other = shared.getProperty(HOLDER);
      if (other != null && !other.equals(holder)) {
        throw new HalException(
            "the terminal is in use as the console of "
                + other
                + ": give this one the endpoint null or file:PATH");
      }
      StdioLease lease = new StdioLease();
      shared.setProperty(HOLDER, holder);
      shared.setProperty(TOKEN, lease.token);
      return lease;
    }
  }

  /** Whether no other console took over. */
  public boolean isCurrent() {
    return token.equals(System.getProperty(TOKEN));
  }

  /** The modes that the terminal had before an earlier driver changed them; empty if none did. */
  byte[] inheritedModes() {
    return HexFormat.of().parseHex(System.getProperty(MODES, ""));
  }

  void keepModes(byte[] modes) {
    Properties shared = System.getProperties();
    synchronized (shared) {
      if (isCurrent()) {
        shared.setProperty(MODES, HexFormat.of().formatHex(modes));
      }
    }
  }

  /** Gives standard input and output back, unless another console took over. */
  public void release() {
    Properties shared = System.getProperties();
    synchronized (shared) {
      if (isCurrent()) {
        shared.remove(HOLDER);
        shared.remove(TOKEN);
        shared.remove(MODES);
      }
    }
  }
}
