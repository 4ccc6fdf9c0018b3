// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.plex86.hal.api.ChannelContext;

/**
 * Threads for what may wait for a medium. What they have done comes back to the slot's thread in
 * order of completion, all that has gathered at once.
 */
final class Workers {
  /** What a worker does; it returns the status of the request. */
  interface Job {
    /** Any exception is a fault of this program. {@link RequestServer#SUSPENDED} is no end. */
    byte run();
  }

  /** A request that was served. */
  record Done(BlockRequest request, int epoch, byte status) {}

  /** As many requests as wait at a time; more only wait for each other in the host's queue. */
  private static final int THREADS = 4;

  private final ChannelContext context;
  private final Consumer<Queue<Done>> completer;
  private final ThreadPoolExecutor threads;
  private final Queue<Done> done = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean announced = new AtomicBoolean();
  private final AtomicInteger pending = new AtomicInteger();
  private volatile boolean stopped;

  /**
   * No threads yet.
   *
   * @param completer called on the slot's thread, takes what is in the queue
   */
  Workers(ChannelContext context, Consumer<Queue<Done>> completer) {
    this.context = context;
    this.completer = completer;
    String name = "plex86-" + context.vmName() + "-" + context.channelName() + "-io";
    threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
  }

  /** Has a request served. On the slot's thread. */
  void submit(BlockRequest request, int epoch, Job job) {
    pending.incrementAndGet();
    threads.execute(() -> serve(request, epoch, job));
  }

  /** Whether none has anything to do. */
  boolean areIdle() {
    return pending.get() == 0;
  }

  private void serve(BlockRequest request, int epoch, Job job) {
    try {
      byte status = stopped ? RequestServer.SUSPENDED : job.run();
      if (status == RequestServer.SUSPENDED) {
        return; // nothing to tell, and perhaps nobody to tell it to
      }
      done.add(new Done(request, epoch, status));
      // a crash of this driver, wherever it happens: the slot is to know of it
    } catch (RuntimeException | Error e) {
      context.execute(
          () -> {
            throw new IllegalStateException("a worker has crashed", e);
          });
      return;
    } finally {
      release();
    }
    if (announced.compareAndSet(false, true)) {
      context.execute(this::deliver);
    }
  }

  private void release() {
    synchronized (pending) {
      pending.decrementAndGet();
      pending.notifyAll();
    }
  }

  private void deliver() {
    announced.set(false);
    completer.accept(done);
  }

  /** Takes what was served so far. On the slot's thread. */
  void drain() {
    if (!done.isEmpty()) {
      completer.accept(done);
    }
  }

  /**
   * Waits until no request is being served. Requests that no thread has begun with are forgotten.
   *
   * @param detached how many threads are in a request for good, and do no harm any more
   * @return false if that took longer
   */
  boolean stop(long millis, IntSupplier detached) {
    stopped = true;
    return await(millis, detached);
  }

  private boolean await(long millis, IntSupplier detached) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean interrupted = false;
    boolean quiet;
    synchronized (pending) {
      quiet = isQuiet(detached);
      for (long left; !quiet && (left = end - System.nanoTime()) > 0; quiet = isQuiet(detached)) {
        try {
          TimeUnit.NANOSECONDS.timedWait(pending, left);
        } catch (InterruptedException e) {
          interrupted = true; // memory of the guest is in use: the wait is bounded, and has to be
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return quiet;
  }

  /** Once true it stays so, but need not be seen again: a detached thread may be on its way out. */
  private boolean isQuiet(IntSupplier detached) {
    int working = pending.get(); // first: who is detached after that was one of them
    return working <= detached.getAsInt();
  }

  /** Runs a task once no request is being served, however long that takes. */
  void whenIdle(Runnable task) {
    Thread waiter =
        new Thread(
            () -> {
              while (!await(60_000, () -> 0)) {
                // not idle yet
              }
              task.run();
            },
            "plex86-" + context.vmName() + "-" + context.channelName() + "-late");
    waiter.setDaemon(true);
    waiter.start();
  }

  /** Requests are served again. */
  void resume() {
    stopped = false;
  }

  /** Ends the threads as soon as they have nothing to do. */
  void end() {
    threads.shutdown();
  }
}
