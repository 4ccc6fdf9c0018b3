// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Calls later, on the JDK's own timer thread, which needs none of this bundle's. */
final class Timers {
  private Timers() {}

  /** Calls a task that takes no time and throws nothing. */
  static void after(long nanos, Runnable task) {
    Executor later = CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run);
    later.execute(task);
  }
}
