// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * Makes what was written to a file durable. The call to the host, which may take as long as the
 * medium likes, is on a thread of its own, so whoever waits for it can leave when the file goes to
 * another driver. Any thread.
 *
 * <p>Linux tells an open file once that a write to the medium has failed (Linux
 * Documentation/filesystems/vfs.rst, "Handling errors during writeback"), so one call is made at a
 * time, all that it stands for get its outcome, and an outcome that nobody has waited for is that
 * of the next call, be it the next driver's.
 */
final class FileSync {
  private static final int EIO = 5;

  private final IntSupplier call;
  private final ThreadPoolExecutor thread;

  /** Error numbers, 0 for none, that nobody was told of. Guarded by this. */
  private final List<CompletableFuture<Integer>> untold;

  /** The call that has not begun: those who come now share it; null: none. Guarded by this. */
  private CompletableFuture<Integer> next;

  /** Done when those who wait are to leave. Guarded by this. */
  private CompletableFuture<Void> suspension = new CompletableFuture<>();

  /**
   * For an open file.
   *
   * @param name of its thread
   * @param call to the host, which returns an error number, or 0
   * @param untold what {@link #untold} of the driver before has returned
   */
  FileSync(String name, IntSupplier call, List<CompletableFuture<Integer>> untold) {
    this.call = call;
    this.untold = new ArrayList<>(untold);
    thread =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread made = new Thread(task, name);
              made.setDaemon(true);
              return made;
            });
    thread.allowCoreThreadTimeOut(true);
  }

  /**
   * Makes all writes durable that have ended before.
   *
   * @throws SuspendedException it was not waited for, after {@link #suspend}
   * @throws IOException the host's reason
   */
  void run() throws IOException {
    CompletableFuture<Integer> mine;
    CompletableFuture<Void> leave;
    synchronized (this) {
      leave = suspension;
      if (leave.isDone()) {
        throw new SuspendedException();
      }
      mine = join();
    }
    CompletableFuture.anyOf(mine, leave).join();
    synchronized (this) {
      if (!mine.isDone()) {
        untold.add(mine);
        throw new SuspendedException();
      }
    }
    tell(mine);
  }

  /** As {@link #run}, but waits in any case: for what cannot be asked for again. */
  void runToTheEnd() throws IOException {
    CompletableFuture<Integer> mine;
    synchronized (this) {
      mine = join();
    }
    tell(mine);
  }

  private static void tell(CompletableFuture<Integer> outcome) throws IOException {
    int errno = outcome.join();
    if (errno != 0) {
      throw LibC.error(errno);
    }
  }

  private CompletableFuture<Integer> join() {
    if (next == null) {
      CompletableFuture<Integer> made = new CompletableFuture<>();
      next = made;
      thread.execute(() -> serve(made));
    }
    return next;
  }

  private void serve(CompletableFuture<Integer> outcome) {
    int errno = EIO; // of a call that throws
    try {
      int before = takeUntold(outcome);
      int now = call.getAsInt();
      errno = before != 0 ? before : now;
    } finally {
      outcome.complete(errno);
    }
  }

  /** From now on, who comes needs another call. */
  private int takeUntold(CompletableFuture<Integer> begun) {
    List<CompletableFuture<Integer>> all;
    synchronized (this) {
      next = null;
      all = untold.stream().filter(outcome -> outcome != begun).toList();
      untold.removeIf(outcome -> outcome != begun); // which was left before it began
    }
    return all.stream().mapToInt(CompletableFuture::join).reduce(0, (a, b) -> a != 0 ? a : b);
  }

  /** Whoever waits leaves, now and until {@link #resume}; the calls go on. */
  synchronized void suspend() {
    suspension.complete(null);
  }

  /** Calls are waited for again. */
  synchronized void resume() {
    if (suspension.isDone()) {
      suspension = new CompletableFuture<>();
    }
  }

  /**
   * What the next one to use the file must know: the error numbers, 0 for none, of calls that
   * nobody was told of. Once {@link #suspend} was called and nobody waits any more.
   */
  synchronized List<CompletableFuture<Integer>> untold() {
    return untold.stream().filter(outcome -> outcome.getNow(EIO) != 0).toList();
  }

  /** Done when no call of this or an earlier driver uses the file any more. */
  synchronized CompletableFuture<Void> idle() {
    return CompletableFuture.allOf(untold.toArray(CompletableFuture[]::new));
  }
}
