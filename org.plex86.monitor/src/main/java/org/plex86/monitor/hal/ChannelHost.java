// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

/** What the slots of a virtual machine ask of it. Any thread; must not block. */
public interface ChannelHost {
  /** The name of the virtual machine. */
  String vmName();

  /** One line for the log of the virtual machine about a channel: what happened to its slot. */
  void log(String channel, String line);

  /**
   * A failure of a channel's host side, or of its driver.
   *
   * @param cause null if there is none
   */
  void reportError(String channel, String message, Throwable cause);

  /**
   * A channel asks for the end of the virtual machine with a result; the first one counts.
   *
   * @param status 0 to 255
   */
  void reportResult(String channel, int status);
}
