// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.List;

/**
 * What stands behind a transport: the channel slot. Called on the thread of the exits, with no lock
 * held.
 */
public interface MmioDevice {
  /**
   * The guest's driver is ready. Must not wait.
   *
   * @param features the device type's own bits among the negotiated ones
   * @param queues by number; null for those that the guest does not use
   */
  void driverOk(long features, List<Virtqueue> queues);

  /**
   * The guest is about to reset the device; its queues are open for the last time. What it has sent
   * may be taken now: Linux resets its devices when it is shut down, with the last lines of its
   * console still in a queue. May wait for the driver. The default does nothing.
   */
  default void resetting() {}

  /**
   * The guest takes back its queues by a reset, or some by QueueReady 0; the queues are closed.
   * Returns when no driver uses them any more, or is past all hope to let go of them.
   *
   * @param deviceReset false: just the queues that are closed are gone
   */
  void withdraw(boolean deviceReset);

  /** The reset is complete: the guest knows nothing of the device any more. Must not wait. */
  void wasReset();

  /** The guest wrote to the configuration space: 1, 2 or 4 bytes within it. May wait a little. */
  void configWritten(int offset, byte[] value);

  /** The guest kicked by a register write that came as an exit. Must not wait. */
  void kicked(int queue);

  /** The guest broke the device, or gave it up; one line for the log. Any thread. */
  void misused(String what);
}
