// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The monitor's side of an open channel. Methods are for the slot's thread unless they say else.
 */
@ProviderType
public interface ChannelContext {
  /** The name of the virtual machine. Any thread. */
  String vmName();

  /**
   * The name of the channel, unique within its virtual machine, such as {@code console0}. Any
   * thread.
   */
  String channelName();

  /**
   * A queue of the device.
   *
   * @param index from 0 to the size of {@link Channel#queueSizes} less 1
   * @throws IndexOutOfBoundsException there is no such queue
   */
  PacketQueue queue(int index);

  /**
   * Runs a task on the slot's thread, in order of submission. Any thread. Tasks that are submitted
   * after the channel was closed are dropped. An exception that leaves the task is a crash of the
   * driver.
   */
  void execute(Runnable task);

  /**
   * Replaces the configuration space and tells the guest that it changed (section 2.5).
   *
   * @throws IllegalArgumentException the length differs from that of {@link Channel#configSpace}
   */
  void updateConfigSpace(byte[] config);

  /**
   * Asks for the end of the virtual machine with a result, such as the exit status of the command
   * that the guest ran for the user. Any thread; the first call counts. The guest is given the time
   * to power off by itself.
   *
   * @param status 0 to 255
   */
  void reportResult(int status);

  /**
   * Reports a failure of the host's side to the log of the virtual machine, once a cause: again
   * when that has been away for a minute. Any thread.
   */
  void reportError(String message, Throwable cause);

  /**
   * What the channel before this one has handed over ({@link Channel#handOver}); empty if there was
   * none. For {@link ChannelDriver#open} only. The driver removes the entries that it takes, and
   * leaves those that it does not know. Where {@code open} throws, all of it stays the slot's, so
   * it must not have been closed or changed by then; where the slot refuses the channel after it
   * was opened, it calls {@link Channel#handOver} to get it back. What is left once the channel
   * serves the guest is closed where it is {@link AutoCloseable}.
   *
   * @return the same map at each call; it may be changed
   * @throws IllegalStateException {@code open} does not run
   */
  Map<String, Object> inherited();
}
