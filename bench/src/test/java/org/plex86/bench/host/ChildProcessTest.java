// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ChildProcessTest {
  private static ChildProcess shell(String script, Duration limit) throws IOException {
    return ChildProcess.start(
        List.of("sh", "-c", script), Path.of("/"), Path.of("/dev/null"), limit);
  }

  @Test
  void tellsStatusOutputAndErrors() throws IOException, InterruptedException {
    try (ChildProcess child = shell("echo a; echo b; echo c >&2; exit 3", Duration.ofSeconds(20))) {
      assertThat(child.await()).isEqualTo(3);
      assertThat(child.output()).extracting(ChildProcess.Line::text).containsExactly("a", "b");
      assertThat(child.errors()).extracting(ChildProcess.Line::text).containsExactly("c");
      assertThat(child.lastWords()).isEqualTo("c");
    }
  }

  @Test
  void findsALineAsSoonAsItComes() throws IOException, InterruptedException {
    try (ChildProcess child = shell("echo up; exec sleep 30", Duration.ofSeconds(60))) {
      ChildProcess.Line up = child.awaitLine("up", Duration.ofSeconds(20));
      assertThat(up).isNotNull();
      assertThat(up.nanos()).isGreaterThan(child.startNanos());
      assertThat(child.isAlive()).isTrue();
    }
  }

  @Test
  void doesNotWaitForALineOfAProcessThatHasEnded() throws IOException, InterruptedException {
    try (ChildProcess child = shell("echo other", Duration.ofSeconds(20))) {
      long start = System.nanoTime();
      assertThat(child.awaitLine("up", Duration.ofSeconds(20))).isNull();
      assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(10));
    }
  }

  @Test
  void endsWhatTakesTooLong() throws IOException, InterruptedException {
    try (ChildProcess child = shell("sleep 60", Duration.ofSeconds(1))) {
      assertThat(child.await()).isEqualTo(124);
      assertThat(child.wallTime()).isLessThan(Duration.ofSeconds(20));
    }
  }

  @Test
  void inputGoesOnUntilItIsEnded() throws IOException, InterruptedException {
    try (ChildProcess child =
        ChildProcess.startWithOpenInput(
            List.of("sh", "-c", "read -r line; echo $line; cat; echo end"),
            Path.of("/"),
            Path.of("/dev/null"),
            Duration.ofSeconds(60),
            line -> {})) {
      child.write("one\ntwo\n");
      assertThat(child.awaitLine("two", Duration.ofSeconds(20))).isNotNull();
      assertThat(child.isAlive()).isTrue();
      child.endInput();
      assertThat(child.await()).isZero();
      assertThat(child.output())
          .extracting(ChildProcess.Line::text)
          .containsExactly("one", "two", "end");
    }
  }

  /** A shell's child has the shell's name until it has become what it is to be. */
  private static List<ProcessTree.Entry> awaitSleepers(ChildProcess child)
      throws IOException, InterruptedException {
    List<ProcessTree.Entry> all = ProcessTree.of(child.pid());
    for (int i = 0;
        i < 1000 && all.stream().filter(one -> one.name().equals("sleep")).count() < 2;
        i++) {
      Thread.sleep(10);
      all = ProcessTree.of(child.pid());
    }
    return all;
  }

  @Test
  void leavesNoProcessBehindWhenItIsClosed() throws IOException, InterruptedException {
    List<ProcessTree.Entry> all;
    try (ChildProcess child =
        shell("sleep 60 & sleep 60 & echo up; wait", Duration.ofSeconds(90))) {
      assertThat(child.awaitLine("up", Duration.ofSeconds(20))).isNotNull();
      all = awaitSleepers(child);
      assertThat(all).extracting(ProcessTree.Entry::name).contains("timeout", "sh", "sleep");
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (all.stream().anyMatch(ProcessTree.Entry::exists) && System.nanoTime() < deadline) {
      Thread.sleep(20);
    }
    assertThat(all).noneMatch(ProcessTree.Entry::exists);
  }
}
