// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A doorbell by a lock instead of a futex. */
final class SemaphoreDoorbell implements Doorbell {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition rung = lock.newCondition();
  private int bits;

  @Override
  public int await(long nanos) {
    lock.lock();
    try {
      long left = nanos;
      while (bits == 0 && left > 0) {
        left = rung.awaitNanos(left);
      }
      int taken = bits;
      bits = 0;
      return taken;
    } catch (InterruptedException e) {
      return 0; // as a futex does; the flag is cleared, so that a left behind thread stays usable
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void wake() {
    ring(WAKE);
  }

  /** What the guest's kick of a queue does in the nexus. */
  void ring(int more) {
    lock.lock();
    try {
      bits |= more;
      rung.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end of a wait, as another thread's. */
  static void pause(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
