// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.testkit.Threads;

/** Who is told of what. The host's call is one that the test ends: no medium is slow on demand. */
@Timeout(60)
class FileSyncTest {
  private static final int ENOSPC = 28;

  private final BlockingQueue<CompletableFuture<Integer>> calls = new LinkedBlockingQueue<>();
  private final AtomicInteger running = new AtomicInteger();
  private final FileSync sync = sync(List.of());

  private FileSync sync(List<CompletableFuture<Integer>> untold) {
    return new FileSync("test-sync", this::call, untold);
  }

  private int call() {
    assertThat(running.incrementAndGet()).isEqualTo(1);
    CompletableFuture<Integer> end = new CompletableFuture<>();
    calls.add(end);
    int errno = end.join();
    running.decrementAndGet();
    return errno;
  }

  private CompletableFuture<Integer> nextCall() throws InterruptedException {
    return calls.poll(20, TimeUnit.SECONDS);
  }

  private interface Flush {
    void run() throws IOException;
  }

  private static CompletableFuture<Void> begin(FileSync sync) {
    return begin(sync::run);
  }

  private static CompletableFuture<Void> begin(Flush flush) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Threads.onItsOwn(
        () -> {
          try {
            flush.run();
            done.complete(null);
          } catch (IOException e) {
            done.completeExceptionally(e);
          }
        });
    return done;
  }

  private static Throwable failure(CompletableFuture<Void> ended) {
    try {
      ended.get(20, TimeUnit.SECONDS);
      return null;
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  /** Left while its call runs; ends that call with an error number and returns what is untold. */
  private List<CompletableFuture<Integer>> suspendDuringACall(int errno) throws Exception {
    CompletableFuture<Void> left = begin(sync);
    CompletableFuture<Integer> call = nextCall();
    assertThat(sync.isDetached()).isFalse();
    sync.suspend();
    assertThat(sync.isDetached()).isTrue();
    List<CompletableFuture<Integer>> untold = sync.untold();
    assertThat(untold).hasSize(1);
    call.complete(errno);
    untold.get(0).join();
    assertThat(failure(left)).isInstanceOf(SuspendedException.class);
    assertThat(sync.isDetached()).isFalse();
    return untold;
  }

  @Test
  void whoComesDuringACallNeedsAnotherOneWhichAllOfThemShare() throws Exception {
    CompletableFuture<Void> first = begin(sync);
    CompletableFuture<Integer> call = nextCall();
    CompletableFuture<Void> second = begin(sync);
    CompletableFuture<Void> third = begin(sync);
    assertThat(first).isNotDone();
    // both have joined the next call: it is not seen otherwise, and without it there were two
    Thread.sleep(100);
    call.complete(0);
    assertThat(failure(first)).isNull();
    CompletableFuture<Integer> shared = nextCall();
    assertThat(second).isNotDone();
    shared.complete(ENOSPC);
    assertThat(failure(second)).isInstanceOf(IOException.class);
    assertThat(failure(third)).hasMessage(failure(second).getMessage());
    assertThat(calls).isEmpty();
  }

  @Test
  void failureIsToldOnceToEachThatWaited() throws Exception {
    CompletableFuture<Void> failing = begin(sync);
    nextCall().complete(ENOSPC);
    assertThat(failure(failing)).isInstanceOf(IOException.class);
    CompletableFuture<Void> after = begin(sync);
    nextCall().complete(0);
    assertThat(failure(after)).isNull();
    sync.suspend();
    assertThat(sync.untold()).isEmpty();
  }

  @Test
  void failureThatNobodyWaitedForIsTheNextDrivers() throws Exception {
    FileSync next = sync(suspendDuringACall(ENOSPC));
    CompletableFuture<Void> flush = begin(next);
    nextCall().complete(0); // Linux has told of it once, and does not again
    assertThat(failure(flush)).isInstanceOf(IOException.class);
    CompletableFuture<Void> after = begin(next);
    nextCall().complete(0);
    assertThat(failure(after)).isNull();
  }

  @Test
  void failureGoesOnToTheDriverThatFlushes() throws Exception {
    FileSync passing = sync(suspendDuringACall(ENOSPC));
    passing.suspend();
    FileSync next = sync(passing.untold());
    CompletableFuture<Void> flush = begin(next);
    nextCall().complete(0);
    assertThat(failure(flush)).isInstanceOf(IOException.class);
  }

  @Test
  void callThatGoesOnIsWaitedForByTheNextDriver() throws Exception {
    CompletableFuture<Void> left = begin(sync);
    CompletableFuture<Integer> call = nextCall();
    sync.suspend();
    FileSync next = sync(sync.untold());
    CompletableFuture<Void> flush = begin(next);
    assertThat(calls.poll(100, TimeUnit.MILLISECONDS)).isNull();
    assertThat(sync.idle()).isNotDone();
    call.complete(0);
    assertThat(failure(left)).isInstanceOf(SuspendedException.class);
    nextCall().complete(0);
    assertThat(failure(flush)).isNull();
    assertThat(sync.idle()).isDone();
  }

  @Test
  void whoWaitsForTheCallAfterLeavesAtOnce() throws Exception {
    CompletableFuture<Void> first = begin(sync);
    CompletableFuture<Integer> call = nextCall();
    CompletableFuture<Void> second = begin(sync);
    Thread.sleep(100); // it waits for the call after that
    sync.suspend();
    assertThat(failure(second)).isInstanceOf(SuspendedException.class);
    assertThat(first).isNotDone();
    FileSync next = sync(sync.untold());
    call.complete(0);
    assertThat(failure(first)).isInstanceOf(SuspendedException.class);
    CompletableFuture<Void> flush = begin(next);
    nextCall().complete(0);
    assertThat(failure(flush)).isNull();
    assertThat(calls).isEmpty();
  }

  @Test
  void whoLetsAnotherThreadMakeTheCallLeavesAtOnce() throws Exception {
    CompletableFuture<Void> left = begin(sync::runAside);
    CompletableFuture<Integer> call = nextCall();
    sync.suspend();
    assertThat(failure(left)).isInstanceOf(SuspendedException.class);
    assertThat(sync.isDetached()).isFalse();
    FileSync next = sync(sync.untold());
    call.complete(ENOSPC);
    CompletableFuture<Void> flush = begin(next);
    nextCall().complete(0);
    assertThat(failure(flush)).isInstanceOf(IOException.class);
  }

  @Test
  void whoLetsAnotherThreadMakeTheCallIsToldOfItsEnd() throws Exception {
    CompletableFuture<Void> failing = begin(sync::runAside);
    nextCall().complete(ENOSPC);
    assertThat(failure(failing)).isInstanceOf(IOException.class);
    CompletableFuture<Void> good = begin(sync::runAside);
    nextCall().complete(0);
    assertThat(failure(good)).isNull();
  }

  @Test
  void whatWentWellIsNotHandedOver() throws Exception {
    suspendDuringACall(0);
    assertThat(sync.untold()).isEmpty();
  }

  @Test
  void waitsAgainOnceItIsNotHandedOver() throws Exception {
    suspendDuringACall(0);
    assertThatThrownBy(sync::run).isInstanceOf(SuspendedException.class);
    sync.resume();
    CompletableFuture<Void> flush = begin(sync);
    nextCall().complete(0);
    assertThat(failure(flush)).isNull();
  }

  @Test
  void whatCannotBeAskedForAgainIsWaitedForInAnyCase() throws Exception {
    sync.suspend();
    CompletableFuture<Void> done = begin(sync::runToTheEnd);
    CompletableFuture<Integer> call = nextCall();
    assertThat(done).isNotDone();
    call.complete(ENOSPC);
    assertThat(failure(done)).isInstanceOf(IOException.class);
  }
}
