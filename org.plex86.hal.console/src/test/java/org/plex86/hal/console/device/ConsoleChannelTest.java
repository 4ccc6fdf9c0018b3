// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.endpoint.StdioEndpoints;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.console.terminal.EscapeRegistry;
import org.plex86.hal.testkit.TestSlot;

/** The device over real pipes, driven by a model of the Linux driver. */
@Timeout(60)
class ConsoleChannelTest {
  private final Fds fds = new Fds();
  private final Fds.Pipe in = fds.pipe();
  private final Fds.Pipe out = fds.pipe();
  private final ConsoleTail tail = new ConsoleTail();

  @AfterEach
  void closeDescriptors() {
    fds.close();
  }

  private TestSlot slot() throws HalException {
    return new TestSlot(
        context ->
            new ConsoleChannel(
                context,
                StdioEndpoints.over(in.readFd(), out.writeFd(), new EscapeRegistry()),
                null,
                true,
                tail));
  }

  @Test
  void isAConsoleWithoutControlQueues() throws Exception {
    try (TestSlot slot = slot()) {
      assertThat(slot.channel().deviceId()).isEqualTo(3);
      assertThat(slot.channel().features()).isEqualTo(ConsoleChannel.F_SIZE);
      assertThat(slot.channel().queueSizes()).hasSize(2);
      assertThat(slot.config()).containsExactly(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    }
  }

  @Test
  void outputArrivesAsItIs() throws Exception {
    byte[] every = new byte[256];
    for (int i = 0; i < every.length; i++) {
      every[i] = (byte) i;
    }
    try (TestSlot slot = slot()) {
      new LinuxGuest(slot).write(0, every);
      assertThat(Fds.read(out.readFd())).isEqualTo(every);
    }
  }

  @Test
  void outputBeforeTheDriverIsUpComesFirst() throws Exception {
    try (TestSlot slot = slot()) {
      slot.run(
          () -> slot.channel().earlyOutput("Linux version\n".getBytes(StandardCharsets.UTF_8)));
      new LinuxGuest(slot).write(0, "init\r\n");
      assertThat(Fds.readUntil(out.readFd(), "init")).isEqualTo("Linux version\ninit\r\n");
      assertThat(tail.lines()).containsExactly("Linux version", "init");
    }
  }

  @Test
  void slowReceiverKeepsPacketsInTheQueueAndLosesNothing() throws Exception {
    byte[] much = new byte[1 << 20];
    new Random(1).nextBytes(much);
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      Thread writer = new Thread(() -> guest.write(0, much));
      writer.start();
      LinuxGuest.await("packets that stay", () -> guest.waiting(1) > 1);
      ByteBuffer all = ByteBuffer.allocate(much.length);
      while (all.hasRemaining()) {
        all.put(Fds.read(out.readFd()));
      }
      writer.join();
      assertThat(all.array()).isEqualTo(much);
      LinuxGuest.await("an empty queue", () -> guest.waiting(1) == 0);
    }
  }

  @Test
  void whatWasSentBeforeTheEndIsShown() throws Exception {
    byte[] last = new byte[200_000];
    new Random(2).nextBytes(last);
    ByteBuffer all = ByteBuffer.allocate(last.length);
    Thread reader =
        new Thread(
            () -> {
              while (all.hasRemaining()) {
                all.put(Fds.read(out.readFd()));
              }
            });
    try (TestSlot slot = slot()) {
      new LinuxGuest(slot).write(0, last);
      reader.start();
    }
    reader.join();
    assertThat(all.array()).isEqualTo(last);
  }

  @Test
  void endDoesNotWaitForAReceiverThatReadsNothing() throws Exception {
    long start;
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      for (int i = 0; i < 20; i++) {
        guest.write(0, new byte[30_000]);
      }
      start = System.nanoTime();
    }
    assertThat(System.nanoTime() - start).isBetween(500_000_000L, 5_000_000_000L);
  }

  @Test
  void inputWaitsForBuffersAndIsComplete() throws Exception {
    byte[] much = new byte[1_000_000];
    new Random(3).nextBytes(much);
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.read(0, false);
      Thread typist = new Thread(() -> Fds.write(in.writeFd(), much));
      typist.start();
      LinuxGuest.await("full buffers", () -> guest.waiting(0) == 0);
      Thread.sleep(200);
      // 32 pages with the guest, 64 KiB with the host, as much in the pipe: the rest is not read.
      assertThat(typist.isAlive()).isTrue();
      guest.read(0, true);
      assertThat(guest.awaitBytes(0, much.length)).isEqualTo(much);
    }
  }

  @Test
  void endOfInputLeavesTheGuestRunning() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest guest = new LinuxGuest(slot);
      Fds.write(in.writeFd(), "last");
      fds.close(in.writeFd());
      guest.awaitText(0, "last");
      guest.write(0, "still here");
      assertThat(Fds.readUntil(out.readFd(), "here")).isEqualTo("still here");
      assertThat(guest.text(0)).isEqualTo("last");
      assertThat(slot.hasResult()).isFalse();
    }
  }

  @Test
  void readerThatIsGoneEndsTheMachine() throws Exception {
    try (TestSlot slot = slot()) {
      fds.close(out.readFd());
      new LinuxGuest(slot).write(0, "x");
      assertThat(slot.result()).isEqualTo(128 + 13);
    }
  }

  @Test
  void resetAndNewStartWork() throws Exception {
    try (TestSlot slot = slot()) {
      LinuxGuest first = new LinuxGuest(slot);
      first.write(0, "one ");
      assertThat(Fds.readUntil(out.readFd(), "one ")).isEqualTo("one ");
      slot.reset();
      slot.run(() -> slot.channel().notify(1));
      new LinuxGuest(slot).write(0, "two");
      assertThat(Fds.readUntil(out.readFd(), "two")).isEqualTo("two");
    }
  }

  @Test
  void secondMachineDoesNotGetTheSameTerminal() throws Exception {
    try (TestSlot slot = slot()) {
      assertThat(slot.hasResult()).isFalse();
      assertThat(
              org.assertj.core.api.Assertions.catchThrowableOfType(
                  HalException.class,
                  () -> org.plex86.hal.console.terminal.StdioLease.take("vm2", "console0")))
          .hasMessageContaining("vm1/console0");
    }
    org.plex86.hal.console.terminal.StdioLease.take("vm2", "console0").release();
  }
}
