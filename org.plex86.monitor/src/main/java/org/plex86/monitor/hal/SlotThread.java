// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The one thread of a slot: runs commands in order of submission, and the slot's turns in between,
 * and sleeps on the doorbell.
 *
 * <p>A driver may hang in a callback. Then the thread is left behind with it: another one takes
 * over the commands, and the old one ends as soon as it gets out of the driver. Who is left behind
 * finds out by {@link #isCurrent}.
 */
final class SlotThread {
  /** What runs on the thread. */
  interface Work {
    /** Queues were kicked. The bits are hints of the guest. */
    void rung(int bits);

    /**
     * Does what is due.
     *
     * @return how long to sleep at most if nothing happens, in nanoseconds; 0: not at all
     */
    long turn();

    /** The first call of a thread that replaces one that was left behind. */
    void takeOver();

    /** One of the others has thrown, which is a fault of this program. */
    void failed(Throwable cause);
  }

  /** Unwinds a thread that was left behind, from the driver's callback up. */
  static final class LeftBehind extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LeftBehind() {
      super("the thread was left behind", null, false, false);
    }
  }

  /** After a fault, so that one that repeats itself does not take the whole CPU. */
  private static final long FAULT_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);

  /**
   * No sleep is without end: the guest can clear the wake bit between a look at it and the sleep.
   * Not shorter: a thread of an idle machine that wakes up finds its caches cold (3 to 12 ms).
   */
  private static final long SLEEP_MAX = TimeUnit.SECONDS.toNanos(10);

  /**
   * A wait counts slices rather than looking at the clock: when the whole process was stopped, the
   * time that it was stopped counts as one slice only.
   */
  private static final long SLICE_MILLIS = 2;

  private final String name;
  private final Doorbell doorbell;
  private final Work work;
  private final Lookout lookout = new Lookout();
  private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
  private final List<Thread> leftBehind = new CopyOnWriteArrayList<>();

  private volatile Thread current;
  private volatile boolean asleep;
  private volatile boolean ended;

  SlotThread(String name, Doorbell doorbell, Work work) {
    this.name = name;
    this.doorbell = doorbell;
    this.work = work;
  }

  synchronized void start() {
    replace(() -> run(false));
  }

  private void replace(Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    current = thread;
    thread.start();
  }

  /** Whether the caller is the slot's thread, and not left behind. */
  boolean isCurrent() {
    return Thread.currentThread() == current;
  }

  /** The thread at present; null before the start. */
  Thread current() {
    return current;
  }

  /** Runs a command after those submitted before. Any thread. Dropped once the slot has ended. */
  void submit(Runnable command) {
    if (ended) {
      return;
    }
    commands.add(command);
    if (asleep) {
      doorbell.wake();
    }
  }

  /**
   * Runs a command and waits for its end. On the slot's thread it does not wait, as that would be
   * for ever.
   *
   * @return false if it had not ended in time
   */
  boolean submitAndWait(Runnable command, Duration patience) {
    CountDownLatch done = new CountDownLatch(1);
    submit(
        () -> {
          command.run();
          done.countDown();
        });
    return isCurrent() || waitInSlices(done, () -> done.getCount() == 0, patience);
  }

  /**
   * Waits until something is so. On the slot's thread it does not wait.
   *
   * @return false if it was not so in time
   */
  boolean waitUntil(BooleanSupplier condition, Duration patience) {
    return isCurrent() || waitInSlices(new CountDownLatch(1), condition, patience);
  }

  private boolean waitInSlices(CountDownLatch latch, BooleanSupplier over, Duration patience) {
    boolean interrupted = false;
    long slices = Math.max(1, patience.toMillis() / SLICE_MILLIS);
    while (!over.getAsBoolean() && !ended && slices-- > 0) {
      try {
        latch.await(SLICE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        interrupted = true; // what is waited for is bounded and must not be cut short
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return over.getAsBoolean() || ended;
  }

  /**
   * Leaves a thread behind, and goes on with another one. Any thread.
   *
   * @param hung only if this is still the current one
   */
  synchronized void leaveBehind(Thread hung) {
    if (hung != current || ended) {
      return;
    }
    leftBehind.add(hung);
    replace(() -> run(true));
    hung.interrupt();
  }

  /** Ends the loop after the command that calls this. On the slot's thread. */
  void end() {
    ended = true;
    commands.clear();
  }

  /** Whether no thread of the slot is alive. */
  boolean allDead(Duration patience) {
    boolean dead = true;
    for (Thread thread : leftBehind) {
      dead &= !thread.isAlive();
    }
    Thread last = current;
    if (last == null || last == Thread.currentThread()) {
      return dead;
    }
    try {
      last.join(patience.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return dead && !last.isAlive();
  }

  private void run(boolean takesOver) {
    boolean first = takesOver;
    while (!ended && isCurrent()) {
      try {
        if (first) {
          first = false;
          work.takeOver();
        }
        step();
      } catch (LeftBehind e) {
        return; // nothing to undo: the thread that took over has done it
        // a fault in the slot's own code must not silence the device for good
      } catch (RuntimeException | Error e) {
        work.failed(e);
        doorbell.await(FAULT_PAUSE);
      }
    }
  }

  private void step() {
    Runnable command = commands.poll();
    if (command != null) {
      command.run();
      if (ended) {
        return;
      }
      rung(doorbell.await(0)); // the guest has its turn, too, where commands never end
      work.turn();
      return;
    }
    long sleep = Math.min(work.turn(), SLEEP_MAX);
    rung(sleep == 0 ? doorbell.await(0) : sleep(sleep));
  }

  private void rung(int bits) {
    if ((bits & ~Doorbell.WAKE) != 0) {
      work.rung(bits & ~Doorbell.WAKE);
    }
  }

  private int sleep(long nanos) {
    long begin = System.nanoTime();
    long worth = Math.min(nanos, lookout.worth());
    if (worth > 0) {
      int bits = look(begin, worth);
      if (bits != 0 || !commands.isEmpty()) {
        lookout.found();
        return bits;
      }
      lookout.missed();
    }
    asleep = true;
    try {
      // a command that was submitted before we were asleep has not rung the doorbell
      return doorbell.await(commands.isEmpty() ? nanos : 0);
    } finally {
      asleep = false;
      if (worth == 0) {
        lookout.slept(System.nanoTime() - begin);
      }
    }
  }

  private int look(long begin, long nanos) {
    int bits;
    do {
      bits = doorbell.await(0);
      Thread.onSpinWait();
    } while (bits == 0 && commands.isEmpty() && System.nanoTime() - begin < nanos);
    return bits;
  }
}
