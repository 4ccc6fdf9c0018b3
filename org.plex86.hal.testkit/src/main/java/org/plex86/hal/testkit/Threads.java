// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.testkit;

/** Threads of tests. */
public final class Threads {
  private Threads() {}

  /**
   * An executor for tasks that wait for each other. The common pool of the JDK has one thread where
   * there are two CPUs, and from JDK 25 on all asynchronous tasks share it.
   */
  public static void onItsOwn(Runnable task) {
    Thread thread = new Thread(task, "test");
    thread.setDaemon(true);
    thread.start();
  }
}
