// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.hal.console.exec.FrameDecoderTest.frame;
import static org.plex86.hal.console.exec.FrameDecoderTest.number;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.endpoint.NullEndpoint;
import org.plex86.hal.console.fixture.Fds;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.testkit.TestSlot;
import org.plex86.hal.testkit.Threads;

/** A command whose console driver is replaced by another one, again and again. */
@Timeout(60)
class ExecSwapTest {
  private static final int MULTIPORT = 3;

  private final Fds fds = new Fds();
  private final Fds.Pipe in = fds.pipe();
  private final Fds.Pipe out = fds.pipe();
  private final Fds.Pipe err = fds.pipe();

  @AfterEach
  void closeDescriptors() {
    fds.close();
  }

  private TestSlot.Opener opener() {
    return context ->
        new ConsoleChannel(
            context,
            new NullEndpoint(),
            ExecSlots.port("cat", in.readFd(), out.writeFd(), err.writeFd()),
            false,
            new ConsoleTail());
  }

  private void swap(TestSlot slot) {
    assertThat(slot.swap(opener(), MULTIPORT)).as("left behind").isEmpty();
  }

  private static LinuxGuest agent(TestSlot slot) {
    LinuxGuest guest = new LinuxGuest(slot);
    guest.awaitHostOpen(1, true);
    guest.open(1, true);
    return guest;
  }

  private static byte[] numbered(String prefix, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(prefix).append(' ').append(i).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** Both streams as frames of uneven length, one after the other in turns. */
  private static byte[] framed(byte[] output, byte[] error, Random random) {
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    int outAt = 0;
    int errAt = 0;
    while (outAt < output.length || errAt < error.length) {
      int outNext = Math.min(output.length, outAt + random.nextInt(20_000));
      int errNext = Math.min(error.length, errAt + random.nextInt(20_000));
      frames.writeBytes(frame(Frame.STDOUT, Arrays.copyOfRange(output, outAt, outNext)));
      frames.writeBytes(frame(Frame.STDERR, Arrays.copyOfRange(error, errAt, errNext)));
      outAt = outNext;
      errAt = errNext;
    }
    return frames.toByteArray();
  }

  private static CompletableFuture<byte[]> reader(int fd, int length) {
    return CompletableFuture.supplyAsync(
        () -> {
          ByteArrayOutputStream all = new ByteArrayOutputStream();
          while (all.size() < length) {
            all.writeBytes(Fds.read(fd));
          }
          return all.toByteArray();
        },
        Threads::onItsOwn);
  }

  /** The payloads of the frames of standard input that the guest received after RUN. */
  private static byte[] input(byte[] received) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteBuffer frames = ByteBuffer.wrap(received).order(ByteOrder.LITTLE_ENDIAN);
    while (frames.remaining() >= Frame.HEADER) {
      int type = frames.getInt();
      byte[] payload = new byte[Math.min(frames.getInt(), frames.remaining())];
      frames.get(payload);
      if (type == Frame.STDIN) {
        all.writeBytes(payload);
      }
    }
    return all.toByteArray();
  }

  @Test
  void losesAndDoublesNothingWhileItIsReplaced() throws Exception {
    byte[] output = numbered("out", 100_000);
    byte[] error = numbered("err", 100_000);
    byte[] typed = numbered("in", 50_000);
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    CompletableFuture<byte[]> outRead = reader(out.readFd(), output.length);
    CompletableFuture<byte[]> errRead = reader(err.readFd(), error.length);
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = agent(slot);
      CompletableFuture<Void> swapper =
          CompletableFuture.runAsync(
              () -> {
                while (!over.get()) {
                  swap(slot);
                  swaps.incrementAndGet();
                }
              },
              Threads::onItsOwn);
      guest.write(1, frame(Frame.READY, new byte[0]));
      byte[] run = frame(Frame.RUN, "cat".getBytes(StandardCharsets.US_ASCII));
      assertThat(guest.awaitBytes(1, run.length)).startsWith(run);
      CompletableFuture<Void> typist =
          CompletableFuture.runAsync(
              () -> {
                Fds.write(in.writeFd(), typed);
                fds.close(in.writeFd());
              },
              Threads::onItsOwn);
      guest.write(1, frame(Frame.STDIN_WINDOW, number(typed.length + 1)));
      byte[] frames = framed(output, error, new Random(86));
      int part = frames.length / 25 + 1;
      // a swap between any two parts, however fast or slow the host is
      for (int at = 0; at < frames.length; at += part) {
        int before = swaps.get();
        guest.write(1, Arrays.copyOfRange(frames, at, Math.min(frames.length, at + part)));
        LinuxGuest.await("a swap", () -> swaps.get() > before);
      }
      LinuxGuest.await("input", () -> input(guest.received(1)).length >= typed.length);
      guest.write(1, frame(Frame.EXIT, number(42)));
      assertThat(slot.result()).isEqualTo(42);
      guest.awaitHostOpen(1, false);
      over.set(true);
      swapper.get();
      typist.get();
      assertThat(input(guest.received(1))).isEqualTo(typed);
      assertThat(outRead.get()).isEqualTo(output);
      assertThat(errRead.get()).isEqualTo(error);
      assertThat(slot.errors()).isEmpty();
      assertThat(swaps.get()).isGreaterThan(20);
    }
  }

  @Test
  void resultOfCommandWhoseOutputNobodyReadYetOutlivesTheDriver() throws Exception {
    byte[] output = numbered("out", 40_000);
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = agent(slot);
      guest.write(1, frame(Frame.READY, new byte[0]));
      for (byte[] next : new byte[][] {framed(output, new byte[0], new Random(1))}) {
        guest.write(1, next);
      }
      guest.write(1, frame(Frame.EXIT, number(3)));
      swap(slot);
      swap(slot);
      assertThat(slot.hasResult()).as("the pipe is full").isFalse();
      assertThat(reader(out.readFd(), output.length).get()).isEqualTo(output);
      assertThat(slot.result()).isEqualTo(3);
      swap(slot);
      guest.awaitHostOpen(1, false);
    }
  }

  @Test
  void endOfInputIsToldOnce() throws Exception {
    fds.close(in.writeFd());
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest guest = agent(slot);
      guest.write(1, frame(Frame.READY, new byte[0]));
      guest.write(1, frame(Frame.STDIN_WINDOW, number(100)));
      byte[] all = guest.awaitBytes(1, 8 + 3 + 8);
      for (int i = 0; i < 3; i++) {
        swap(slot);
      }
      guest.write(1, frame(Frame.EXIT, number(0)));
      assertThat(slot.result()).isZero();
      assertThat(guest.received(1)).isEqualTo(all);
    }
  }

  @Test
  void afterResetOfTheGuestWhatWasAgreedIsForgotten() throws Exception {
    try (TestSlot slot = new TestSlot(opener())) {
      LinuxGuest first = agent(slot);
      first.open(1, true);
      slot.reset();
      swap(slot);
      LinuxGuest second = agent(slot);
      assertThat(second.portName()).isEqualTo(ExecPort.NAME);
    }
  }
}
