// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import org.plex86.hal.api.HalException;

/** Calls drivers: nothing that they throw gets past it, and others can see what hangs. */
final class CallbackGuard {
  /** A call to a driver. */
  @FunctionalInterface
  interface Callback {
    void run() throws HalException;
  }

  private final SlotThread thread;

  /** Written by the slot's thread. */
  private volatile String running;

  CallbackGuard(SlotThread thread) {
    this.thread = thread;
  }

  /** The name of the driver's method that runs at present; null if none does. Any thread. */
  String running() {
    return running;
  }

  /** Forgets the call that the thread before this one was left behind in; returns its name. */
  String takeOver() {
    String hung = running;
    running = null;
    return hung;
  }

  /**
   * Calls a driver, on the slot's thread.
   *
   * @return what it threw; null if it returned
   */
  Throwable run(String method, Callback call) {
    Throwable thrown = null;
    running = method;
    try {
      call.run();
      // whatever a third party's code throws, a LinkageError or a StackOverflowError, too, is its
      // own
    } catch (Throwable e) {
      thrown = e;
    }
    if (!thread.isCurrent()) {
      throw new SlotThread.LeftBehind();
    }
    running = null;
    return thrown;
  }
}
