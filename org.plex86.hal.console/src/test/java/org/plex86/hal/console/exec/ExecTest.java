// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.hal.console.exec.FrameDecoderTest.frame;
import static org.plex86.hal.console.exec.FrameDecoderTest.number;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.endpoint.NullEndpoint;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.console.io.LibC;
import org.plex86.hal.testkit.TestSlot;

/** A command in a modelled guest, over real pipes. */
@Timeout(60)
class ExecTest {
  private final Fds fds = new Fds();
  private final Fds.Pipe in = fds.pipe();
  private final Fds.Pipe out = fds.pipe();
  private final Fds.Pipe err = fds.pipe();

  @AfterEach
  void closeDescriptors() {
    fds.close();
  }

  private TestSlot slot(String command) throws HalException {
    return ExecSlots.open(command, in.readFd(), out.writeFd(), err.writeFd());
  }

  /** The guest's agent: opens its port, says that it is ready and waits for the command. */
  private static LinuxGuest agent(TestSlot slot, String command) {
    LinuxGuest guest = new LinuxGuest(slot);
    guest.awaitHostOpen(1, true);
    guest.open(1, true);
    guest.write(1, frame(Frame.READY, new byte[0]));
    byte[] run = frame(Frame.RUN, command.getBytes(StandardCharsets.UTF_8));
    assertThat(guest.awaitBytes(1, run.length)).isEqualTo(run);
    return guest;
  }

  private static void exit(LinuxGuest guest, int status) {
    guest.write(1, frame(Frame.EXIT, number(status)));
  }

  private static byte[] afterRun(LinuxGuest guest, String command, int count) {
    int skip = 8 + command.getBytes(StandardCharsets.UTF_8).length;
    return Arrays.copyOfRange(guest.awaitBytes(1, skip + count), skip, skip + count);
  }

  @Test
  void passesOutputErrorAndStatus() throws Exception {
    try (TestSlot slot = slot("uname -a")) {
      LinuxGuest guest = agent(slot, "uname -a");
      guest.write(1, frame(Frame.STDOUT, "Linux\n".getBytes(StandardCharsets.UTF_8)));
      guest.write(1, frame(Frame.STDERR, "oops\n".getBytes(StandardCharsets.UTF_8)));
      assertThat(slot.hasResult()).isFalse();
      exit(guest, 7);
      assertThat(slot.result()).isEqualTo(7);
      assertThat(Fds.readUntil(out.readFd(), "\n")).isEqualTo("Linux\n");
      assertThat(Fds.readUntil(err.readFd(), "\n")).isEqualTo("oops\n");
      guest.awaitHostOpen(1, false);
    }
  }

  @Test
  void longCommandGoesThroughSmallBuffers() throws Exception {
    String command = "echo " + "\u00e9".repeat(30_000);
    try (TestSlot slot = slot(command)) {
      exit(agent(slot, command), 0);
      assertThat(slot.result()).isZero();
    }
  }

  @Test
  void refusesACommandThatIsTooLong() {
    assertThatThrownBy(() -> slot("x".repeat(65_537)).close())
        .isInstanceOf(HalException.class)
        .hasMessageContaining("65537 bytes");
    assertThatThrownBy(() -> slot("").close()).isInstanceOf(HalException.class);
  }

  @Test
  void resultWaitsUntilAllOutputIsWritten() throws Exception {
    byte[] much = new byte[400_000];
    new Random(5).nextBytes(much);
    try (TestSlot slot = slot("cat")) {
      LinuxGuest guest = agent(slot, "cat");
      for (int at = 0; at < much.length; at += 50_000) {
        guest.write(1, frame(Frame.STDOUT, Arrays.copyOfRange(much, at, at + 50_000)));
      }
      exit(guest, 3);
      Thread.sleep(200);
      assertThat(slot.hasResult()).isFalse();
      ByteBuffer all = ByteBuffer.allocate(much.length);
      while (all.hasRemaining()) {
        all.put(Fds.read(out.readFd()));
      }
      assertThat(slot.result()).isEqualTo(3);
      assertThat(all.array()).isEqualTo(much);
    }
  }

  @Test
  void machineThatEndsAtOnceAfterTheExitFrameHasItsResult() throws Exception {
    TestSlot slot = slot("true");
    LinuxGuest guest = agent(slot, "true");
    guest.write(1, frame(Frame.STDOUT, new byte[60_000]));
    exit(guest, 9);
    slot.close();
    assertThat(slot.result()).isEqualTo(9);
  }

  @Test
  void fiftyMegabytesOnBothStreamsAreUnchangedAndFast() throws Exception {
    int pieces = 50_000_000 / 65_536;
    byte[] piece = new byte[65_536];
    new Random(6).nextBytes(piece);
    try (TestSlot slot = slot("tee")) {
      LinuxGuest guest = agent(slot, "tee");
      Digest outDigest = new Digest(out.readFd(), (long) pieces * piece.length);
      Digest errDigest = new Digest(err.readFd(), (long) pieces * piece.length);
      byte[] both = new byte[2 * (8 + piece.length)];
      ByteBuffer.wrap(both).put(frame(Frame.STDOUT, piece)).put(frame(Frame.STDERR, piece));
      MessageDigest sent = MessageDigest.getInstance("MD5");
      long start = System.nanoTime();
      for (int i = 0; i < pieces; i++) {
        guest.write(1, both);
        sent.update(piece);
      }
      exit(guest, 0);
      assertThat(slot.result()).isZero();
      long millis = (System.nanoTime() - start) / 1_000_000;
      System.out.println("100 MB in " + millis + " ms");
      byte[] expected = sent.digest();
      assertThat(outDigest.result()).isEqualTo(expected);
      assertThat(errDigest.result()).isEqualTo(expected);
      assertThat(millis).isLessThan(10_000);
    }
  }

  @Test
  void inputIsSentAsFarAsTheGuestGrantsIt() throws Exception {
    String text = "0123456789";
    try (TestSlot slot = slot("cat")) {
      LinuxGuest guest = agent(slot, "cat");
      Fds.write(in.writeFd(), text);
      guest.write(1, frame(Frame.STDIN_WINDOW, number(4)));
      assertThat(afterRun(guest, "cat", 12))
          .isEqualTo(frame(Frame.STDIN, "0123".getBytes(StandardCharsets.UTF_8)));
      Thread.sleep(100);
      assertThat(guest.received(1)).hasSize(8 + 3 + 12);
      // What the command does not take is left in the pipe, for the next program.
      assertThat(Fds.read(in.readFd())).isEqualTo("456789".getBytes(StandardCharsets.UTF_8));
      exit(guest, 0);
      assertThat(slot.result()).isZero();
    }
  }

  @Test
  void muchInputArrivesInOrderAndThenItsEnd() throws Exception {
    byte[] much = new byte[3_000_000];
    new Random(7).nextBytes(much);
    try (TestSlot slot = slot("cat")) {
      LinuxGuest guest = agent(slot, "cat");
      Thread typist =
          new Thread(
              () -> {
                Fds.write(in.writeFd(), much);
                fds.close(in.writeFd());
              });
      typist.start();
      guest.write(1, frame(Frame.STDIN_WINDOW, number(much.length + 1)));
      LinuxGuest.await("the end of input", () -> endsWithEnd(guest.received(1)));
      byte[] stream = guest.received(1);
      assertThat(payloads(Arrays.copyOfRange(stream, 8 + 3, stream.length))).isEqualTo(much);
    }
  }

  private static boolean endsWithEnd(byte[] stream) {
    byte[] end = frame(Frame.STDIN, new byte[0]);
    return stream.length > end.length
        && Arrays.equals(stream, stream.length - 8, stream.length, end, 0, 8);
  }

  private static byte[] payloads(byte[] stream) {
    ByteBuffer frames = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer all = ByteBuffer.allocate(stream.length);
    while (frames.hasRemaining()) {
      assertThat(frames.getInt()).isEqualTo(Frame.STDIN);
      byte[] payload = new byte[frames.getInt()];
      frames.get(payload);
      all.put(payload);
    }
    return Arrays.copyOf(all.array(), all.position());
  }

  @Test
  void readerThatIsGoneKillsTheCommandLikeInAPipeline() throws Exception {
    try (TestSlot slot = slot("yes")) {
      LinuxGuest guest = agent(slot, "yes");
      fds.close(out.readFd());
      guest.write(1, frame(Frame.STDOUT, new byte[60_000]));
      assertThat(afterRun(guest, "yes", 12)).isEqualTo(frame(Frame.SIGNAL, number(13)));
      // Until the signal arrives there is more, which nobody waits for.
      for (int i = 0; i < 50; i++) {
        guest.write(1, frame(Frame.STDOUT, new byte[60_000]));
      }
      exit(guest, 128 + 13);
      assertThat(slot.result()).isEqualTo(128 + 13);
    }
  }

  @Test
  void outputThatCannotBeWrittenIsNoSuccess() throws Exception {
    int full = ExecSlots.fd("/dev/full");
    try (TestSlot slot = ExecSlots.open("cat", in.readFd(), full, err.writeFd())) {
      LinuxGuest guest = agent(slot, "cat");
      guest.write(1, frame(Frame.STDOUT, new byte[10]));
      assertThat(afterRun(guest, "cat", 12)).isEqualTo(frame(Frame.SIGNAL, number(13)));
      exit(guest, 128 + 13);
      assertThat(slot.result()).isEqualTo(1);
      assertThat(slot.errors())
          .anyMatch(
              line -> line.matches("standard output cannot be written.*No space left on device"));
    } finally {
      LibC.close(full);
    }
  }

  @Test
  void guestThatBreaksTheProtocolIsACrashedOne() throws Exception {
    try (TestSlot slot = slot("true")) {
      LinuxGuest guest = agent(slot, "true");
      guest.write(1, "Segmentation fault");
      assertThat(slot.result()).isEqualTo(4);
      assertThat(slot.errors()).anyMatch(line -> line.contains("broke the protocol"));
      guest.write(1, new byte[1_000_000]);
    }
  }

  @Test
  void secondReadyDoesNotRunTheCommandAgain() throws Exception {
    try (TestSlot slot = slot("true")) {
      LinuxGuest guest = agent(slot, "true");
      guest.write(1, frame(Frame.READY, new byte[0]));
      exit(guest, 0);
      assertThat(slot.result()).isZero();
      assertThat(guest.received(1)).hasSize(8 + 4);
    }
  }

  @Test
  void hugeWindowsDoNotOverflow() throws Exception {
    try (TestSlot slot = slot("cat")) {
      LinuxGuest guest = agent(slot, "cat");
      for (int i = 0; i < 100; i++) {
        guest.write(1, frame(Frame.STDIN_WINDOW, number(-1)));
      }
      Fds.write(in.writeFd(), "x");
      assertThat(afterRun(guest, "cat", 9)).endsWith('x');
    }
  }

  @Test
  void consoleAndCommandAreApart() throws Exception {
    ConsoleTail tail = new ConsoleTail();
    try (TestSlot slot =
        new TestSlot(
            context ->
                new ConsoleChannel(
                    context,
                    new NullEndpoint(),
                    ExecSlots.port("true", in.readFd(), out.writeFd(), err.writeFd()),
                    false,
                    tail))) {
      LinuxGuest guest = new LinuxGuest(slot);
      guest.write(0, "Kernel panic - not syncing: no init\r\n");
      assertThat(tail.lines()).containsExactly("Kernel panic - not syncing: no init");
      assertThat(slot.hasResult()).isFalse();
    }
  }

  /** Sums up what comes out of a pipe. */
  private static final class Digest extends Thread {
    private final int fd;
    private final long length;
    private byte[] sum;

    Digest(int fd, long length) {
      this.fd = fd;
      this.length = length;
      start();
    }

    @Override
    public void run() {
      try {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        for (long left = length; left > 0; ) {
          byte[] next = Fds.read(fd);
          digest.update(next);
          left -= next.length;
        }
        sum = digest.digest();
      } catch (java.security.NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    byte[] result() throws InterruptedException {
      join();
      return sum;
    }
  }
}
