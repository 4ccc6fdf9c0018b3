// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

/** Where a channel slot is. */
public enum SlotState {
  /** No driver has been bound yet; the guest has not been started, or sees a spare device. */
  UNBOUND,
  /** A driver serves the guest. */
  BOUND,
  /** The driver is to go: it gets no new packets, and may finish those that it has taken. */
  QUIESCING,
  /** No driver: the guest waits, packets stay in the queues. */
  PARKED,
  /** No driver for too long: requests of the guest are answered with errors. */
  FAILING,
  /** The virtual machine is over. */
  ENDED
}
