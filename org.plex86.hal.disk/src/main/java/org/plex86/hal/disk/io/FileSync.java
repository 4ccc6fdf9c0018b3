// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/**
 * Makes what was written to a file durable, by calls to the host that may take as long as the
 * medium likes, so that a driver can go while one runs. Any thread.
 *
 * <p>Linux tells an open file once that a write to the medium has failed (Linux
 * Documentation/filesystems/vfs.rst, "Handling errors during writeback"), so one call is made at a
 * time, all that it stands for get its outcome, and an outcome that nobody was told of is that of
 * the next call, be it the next driver's.
 *
 * <p>One of those who wait makes the call itself: to hand it to a thread and back took a quarter of
 * the time of an fsync in the guest.
 */
final class FileSync {
  private static final int EIO = 5;

  /** A call to the host, for all who came before it began. */
  private static final class Call {
    /** An error number, 0 for none. */
    final CompletableFuture<Integer> outcome = new CompletableFuture<>();

    boolean begun;

    /** Whether who makes it is one of those who {@link FileSync#run}. */
    boolean here;
  }

  /** How a caller waits. */
  private enum Way {
    HERE,
    ASIDE,
    TO_THE_END
  }

  private final IntSupplier host;
  private final String name;

  /** Outcomes that nobody was told of. */
  private final List<CompletableFuture<Integer>> untold;

  /** The call that runs; null: none. */
  private Call running;

  /** The call for those who come now; null: nobody has come. */
  private Call next;

  private boolean suspended;

  /**
   * For an open file.
   *
   * @param name of a thread
   * @param host makes the call, and returns an error number, or 0
   * @param untold what {@link #untold} of the driver before has returned
   */
  FileSync(String name, IntSupplier host, List<CompletableFuture<Integer>> untold) {
    this.name = name;
    this.host = host;
    this.untold = new ArrayList<>(untold);
  }

  /**
   * Makes all writes durable that have ended before. A thread that is in a call to the host when
   * {@link #suspend} is called stays there; see {@link #isDetached}.
   *
   * @throws SuspendedException it was not waited for, after {@link #suspend}
   * @throws IOException the host's reason
   */
  void run() throws IOException {
    check(perform(Way.HERE));
  }

  /** As {@link #run}, but is waited for in any case: for what cannot be asked for again. */
  void runToTheEnd() throws IOException {
    check(perform(Way.TO_THE_END));
  }

  /**
   * As {@link #run}, but the thread returns at once when {@link #suspend} is called, as another one
   * makes the call: for who holds a lock meanwhile.
   */
  void runAside() throws IOException {
    CompletableFuture<Integer> outcome = new CompletableFuture<>();
    Thread aside = new Thread(() -> performAside(outcome), name);
    aside.setDaemon(true);
    aside.start();
    waitWhile(() -> !outcome.isDone() && !suspended);
    if (leaves(outcome)) {
      throw new SuspendedException();
    }
    check(outcome.join());
  }

  private void performAside(CompletableFuture<Integer> outcome) {
    int errno = EIO; // of a call that throws
    try {
      errno = perform(Way.ASIDE);
    } catch (SuspendedException e) {
      errno = 0; // the call's outcome is untold, and need not be so twice
    } finally {
      end(outcome, errno);
    }
  }

  private synchronized void end(CompletableFuture<Integer> outcome, int errno) {
    outcome.complete(errno);
    notifyAll();
  }

  private synchronized boolean leaves(CompletableFuture<Integer> outcome) {
    if (suspended && outcome.getNow(EIO) != 0) {
      untold.add(outcome);
    }
    return suspended;
  }

  private static void check(int errno) throws IOException {
    if (errno != 0) {
      throw LibC.error(errno);
    }
  }

  /** Returns an error number, or 0. */
  private int perform(Way way) throws SuspendedException {
    Call mine = join(way);
    if (!mine.outcome.isDone()) {
      boolean left = call(mine);
      if (left && way != Way.TO_THE_END) {
        throw new SuspendedException();
      }
    }
    return mine.outcome.join();
  }

  /** Waits for the next call to begin to end; returns one that has, or one for us to make. */
  private synchronized Call join(Way way) throws SuspendedException {
    if (next == null) {
      next = new Call();
    }
    Call mine = next;
    boolean toTheEnd = way == Way.TO_THE_END;
    waitWhile(
        () ->
            !mine.outcome.isDone() && (mine.begun || running != null) && (toTheEnd || !suspended));
    if (mine.outcome.isDone()) {
      return mine;
    }
    if (suspended && !toTheEnd) {
      throw new SuspendedException();
    }
    mine.begun = true;
    mine.here = way == Way.HERE;
    running = mine;
    next = null;
    return mine;
  }

  /** Makes a call; returns whether it was left meanwhile. */
  private boolean call(Call mine) {
    int errno = EIO; // of a call that throws
    boolean left;
    try {
      int before = takeUntold(mine);
      int now = host.getAsInt();
      errno = before != 0 ? before : now;
    } finally {
      left = end(mine, errno);
    }
    return left;
  }

  private synchronized boolean end(Call call, int errno) {
    running = null;
    end(call.outcome, errno);
    return suspended;
  }

  private int takeUntold(Call begun) {
    List<CompletableFuture<Integer>> all;
    synchronized (this) {
      all = untold.stream().filter(outcome -> outcome != begun.outcome).toList();
      untold.removeIf(outcome -> outcome != begun.outcome); // that one was left already
    }
    return all.stream().mapToInt(CompletableFuture::join).reduce(0, (a, b) -> a != 0 ? a : b);
  }

  /** Waits without being interrupted, as what is waited for ends by itself. */
  private synchronized void waitWhile(BooleanSupplier condition) {
    boolean interrupted = false;
    while (condition.getAsBoolean()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whoever waits leaves, now and until {@link #resume}; the call that runs goes on. */
  synchronized void suspend() {
    if (!suspended && running != null) {
      untold.add(running.outcome);
    }
    suspended = true;
    notifyAll();
  }

  /** Calls are waited for again. */
  synchronized void resume() {
    suspended = false;
  }

  /**
   * Whether a thread that has called {@link #run} is still in a call to the host: it gets {@link
   * SuspendedException} whenever that ends.
   */
  synchronized boolean isDetached() {
    return suspended && running != null && running.here;
  }

  /**
   * What the next one to use the file must know: the error numbers, 0 for none, of calls that
   * nobody was told of. After {@link #suspend}.
   */
  synchronized List<CompletableFuture<Integer>> untold() {
    return untold.stream().filter(outcome -> outcome.getNow(EIO) != 0).toList();
  }

  /** Done when no call that was left uses the file any more. */
  synchronized CompletableFuture<Void> idle() {
    return CompletableFuture.allOf(untold.toArray(CompletableFuture[]::new));
  }
}
