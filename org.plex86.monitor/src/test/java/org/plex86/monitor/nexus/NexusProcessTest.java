// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.memory.Fd;

/** The real nexus, without a guest: it waits to be told to go. */
class NexusProcessTest {
  private static final long RAM = 24 << 20;
  private static final int SPACES = 3;

  @TempDir Path directory;
  private Fd controlFd;
  private Fd ramFd;
  private ControlMemory control;
  private NexusProcess nexus;
  private final CountDownLatch changed = new CountDownLatch(1);

  @BeforeEach
  void makeMemory() throws IOException {
    controlFd = Fd.sealedMemory("test-control", ControlLayout.CONTROL_SIZE);
    ramFd = Fd.sealedMemory("test-ram", RAM);
    control = new ControlMemory(controlFd);
    control.initialise((int) (RAM / 4096), SPACES, 0, 0, 0);
  }

  @AfterEach
  void endAll() throws Exception {
    if (nexus != null) {
      List<Integer> processes = nexus.processes();
      nexus.kill();
      nexus.ended().get(10, TimeUnit.SECONDS);
      assertThat(processes).allSatisfy(NexusProcessTest::assertGone);
    }
    controlFd.close();
    ramFd.close();
  }

  private void spawn() throws IOException {
    nexus =
        new NexusProcess(
            NexusExecutable.unpack(directory), "test", controlFd, ramFd, changed::countDown);
  }

  /** The guest could go earlier: spaces are made meanwhile. */
  private void spawnAll() throws Exception {
    spawn();
    nexus.ready().get(30, TimeUnit.SECONDS);
    await(() -> nexus.processes().size() == 1 + SPACES);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private long kicks() {
    return control.counters().get("kicks");
  }

  @Test
  void kickThatComesBeforeItsProcessIsKnownIsMadeUpFor() throws Exception {
    spawn();
    nexus.kick(0);
    await(() -> kicks() == 1);
  }

  /** In a strict machine the nexus must know of every kick of a user process. */
  @Test
  void noProcessIsKickedUnasked() throws Exception {
    spawnAll();
    Thread.sleep(300); // a signal would be taken by then: it is blocked until its handler is there
    assertThat(kicks()).isZero();
    nexus.kick(0);
    await(() -> kicks() == 1);
  }

  @Test
  void reportsItsSpacesAndTheHostsCpu() throws Exception {
    spawnAll();
    assertThat(nexus.processes()).hasSize(1 + SPACES).doesNotHaveDuplicates();
    assertThat(control.hostCpuid()).isNotEmpty();
    assertThat(control.hostXcr0() & 3).isEqualTo(3);
  }

  @Test
  void killEndsItAndTellsOnce() throws Exception {
    spawnAll();
    nexus.kill();
    assertThat(changed.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(nexus.ended().get()).isEqualTo(new NexusEnd(false, ""));
    assertThat(nexus.processes()).isEmpty();
  }

  @Test
  void killHardEndsTheSpacesToo() throws Exception {
    spawnAll();
    List<Integer> processes = nexus.processes();
    nexus.killHard();
    assertThat(nexus.ended().get(10, TimeUnit.SECONDS).message()).contains("killed by signal 9");
    assertThat(processes).allSatisfy(NexusProcessTest::assertGone);
  }

  @Test
  void stoppedSpacesCanBeEnded() throws Exception {
    spawnAll();
    nexus.stop();
    nexus.kill();
    nexus.ended().get(10, TimeUnit.SECONDS);
  }

  @Test
  void memoryOfAnotherVersionIsRefusedByTheSupervisor() throws Exception {
    control.initialise((int) (RAM / 4096), 0, 0, 0, 0);
    spawn();
    assertThat(nexus.ended().get(10, TimeUnit.SECONDS).message())
        .contains("the nexus cannot start")
        .contains("out of range");
    assertThatThrownBy(() -> nexus.ready().get()).hasMessageContaining("the nexus cannot start");
  }

  @Test
  void kickOfASlotThatDoesNotExistDoesNothing() throws Exception {
    spawnAll();
    for (int slot : new int[] {-1, SPACES, 64, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      nexus.kick(slot);
    }
    assertThat(nexus.processes()).hasSize(1 + SPACES);
  }

  @Test
  void spacesHaveNoDescriptorButWhatTheyNeed() throws Exception {
    try (var ours = Files.newInputStream(Files.createFile(directory.resolve("leak")))) {
      spawn();
      nexus.ready().get(30, TimeUnit.SECONDS);
      for (int pid : nexus.processes()) {
        try (Stream<Path> fds = Files.list(Path.of("/proc/" + pid + "/fd"))) {
          assertThat(fds)
              .allSatisfy(
                  fd -> assertThat(Files.readSymbolicLink(fd)).asString().doesNotContain("leak"));
        }
      }
      assertThat(ours.read()).isEqualTo(-1);
    }
  }

  @Test
  void failedStartLeavesNoDescriptor() throws IOException {
    Path no = directory.resolve("no-such-program");
    List<Path> before = descriptors();
    for (int i = 0; i < 10; i++) {
      assertThatThrownBy(() -> new NexusProcess(no, "test", controlFd, ramFd, changed::countDown))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot execute " + no);
    }
    assertThat(descriptors()).hasSizeLessThan(before.size() + 10);
  }

  private static List<Path> descriptors() throws IOException {
    try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
      return fds.toList();
    }
  }

  /** Its parent has waited for it, or whoever takes orphans on this host soon will. */
  private static void assertGone(int pid) throws IOException {
    Path stat = Path.of("/proc/" + pid + "/stat");
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (Files.exists(stat) && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertThat(stat).doesNotExist();
  }
}
