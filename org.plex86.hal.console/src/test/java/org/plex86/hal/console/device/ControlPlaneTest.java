// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.console.endpoint.StdioEndpoints;
import org.plex86.hal.console.exec.ExecSlots;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.console.terminal.EscapeRegistry;
import org.plex86.hal.testkit.TestSlot;

/** Ports and control messages, of a guest that keeps to the rules and of one that does not. */
@Timeout(60)
class ControlPlaneTest {
  private static final int CONTROL_IN = 2;
  private static final int CONTROL_OUT = 3;

  private final Fds fds = new Fds();
  private final Fds.Pipe quiet = fds.pipe();
  private Fds.Pty pty;
  private TestSlot slot;

  @BeforeEach
  void open() throws Exception {
    pty = fds.pty(100, 30);
    slot =
        new TestSlot(
            context ->
                new ConsoleChannel(
                    context,
                    StdioEndpoints.over(pty.slave(), pty.slave(), new EscapeRegistry()),
                    ExecSlots.port("true", quiet.readFd(), quiet.writeFd(), quiet.writeFd()),
                    true,
                    new ConsoleTail()));
  }

  @AfterEach
  void close() {
    slot.close();
    fds.close();
  }

  @Test
  void guestLearnsOfBothPorts() {
    LinuxGuest guest = new LinuxGuest(slot);
    guest.awaitSize(100, 30);
    guest.awaitHostOpen(1, true);
    assertThat(guest.portName()).isEqualTo("org.plex86.exec");
    assertThat(guest.events())
        .containsSubsequence("0:1=1", "0:4=1", "0:6=1", "0:5=0")
        .containsSubsequence("1:1=1", "1:7=1", "1:6=1")
        .doesNotContain("1:4=1");
  }

  @Test
  void newWindowSizeIsTold() {
    LinuxGuest guest = new LinuxGuest(slot);
    guest.awaitSize(100, 30);
    Fds.resize(pty, 132, 50);
    guest.awaitSize(132, 50);
    assertThat(slot.config()).startsWith(132, 0, 50, 0);
  }

  @Test
  void guestThatAcknowledgesNoMultiportHasAConsole() {
    slot.run(() -> slot.channel().start(ConsoleChannel.F_SIZE));
    LinuxGuest guest = LinuxGuest.hostile(slot);
    slot.run(() -> slot.channel().start(ConsoleChannel.F_SIZE));
    guest.control(0, ControlPlane.DEVICE_READY, 1);
    guest.provide(CONTROL_IN, 4096);
    assertThat(guest.waiting(CONTROL_IN)).isEqualTo(1);
    guest.provide(0, 4096);
    Fds.write(pty.master(), "typed");
    LinuxGuest.await("input", () -> guest.waiting(0) == 0);
    assertThat(guest.takeUsed(0))
        .isEqualTo("typed".getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  @Test
  void repeatedMessagesDoNotPileUp() {
    LinuxGuest guest = LinuxGuest.hostile(slot);
    for (int i = 0; i < 1000; i++) {
      guest.control(-1, ControlPlane.DEVICE_READY, 1);
      guest.control(i % 2, ControlPlane.PORT_READY, 1);
      guest.control(i % 2, ControlPlane.PORT_OPEN, i % 3);
      while (guest.takeUsed(CONTROL_OUT) != null) {}
    }
    assertThat(answers(guest)).hasSizeLessThanOrEqualTo(8);
  }

  @Test
  void messageWaitsForABufferThatHoldsIt() {
    LinuxGuest guest = LinuxGuest.hostile(slot);
    guest.control(-1, ControlPlane.DEVICE_READY, 1);
    guest.provide(CONTROL_IN, 7);
    assertThat(guest.takeUsed(CONTROL_IN)).isEmpty();
    guest.provide(CONTROL_IN, 0);
    assertThat(guest.takeUsed(CONTROL_IN)).isEmpty();
    guest.provide(CONTROL_IN, 8);
    assertThat(guest.takeUsed(CONTROL_IN)).containsExactly(0, 0, 0, 0, 1, 0, 1, 0);
  }

  @Test
  void messagesOfAnyContentLeaveTheDeviceWorking() {
    LinuxGuest guest = LinuxGuest.hostile(slot);
    Random random = new Random(4);
    for (int i = 0; i < 2000; i++) {
      byte[] message = new byte[random.nextInt(24)];
      random.nextBytes(message);
      if (message.length > 5 && random.nextBoolean()) {
        ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0, random.nextInt(4) - 1);
        header.putShort(4, (short) random.nextInt(9));
      }
      guest.send(CONTROL_OUT, message);
      while (guest.takeUsed(CONTROL_OUT) != null) {}
      guest.provide(CONTROL_IN, random.nextInt(64));
      while (guest.takeUsed(CONTROL_IN) != null) {}
      guest.send(5, message);
      while (guest.takeUsed(5) != null) {}
    }
    slot.reset();
    LinuxGuest again = new LinuxGuest(slot);
    again.awaitSize(100, 30);
  }

  private List<byte[]> answers(LinuxGuest guest) {
    List<byte[]> answers = new ArrayList<>();
    int before;
    do {
      before = answers.size();
      guest.provide(CONTROL_IN, 64);
      for (byte[] used; (used = guest.takeUsed(CONTROL_IN)) != null; ) {
        answers.add(used);
      }
    } while (answers.size() > before);
    return answers;
  }
}
