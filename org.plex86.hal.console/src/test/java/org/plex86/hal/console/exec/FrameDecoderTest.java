// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.plex86.hal.console.exec.FrameDecoder.ProtocolException;

class FrameDecoderTest {
  /** Writes down what it is told; takes output in pieces of limited length. */
  private static final class Told implements FrameDecoder.Handler {
    final List<String> told = new ArrayList<>();
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final int mostAtOnce;

    Told(int mostAtOnce) {
      this.mostAtOnce = mostAtOnce;
    }

    @Override
    public void ready() {
      told.add("ready");
    }

    @Override
    public void output(boolean error, ByteBuffer bytes) {
      byte[] taken = new byte[Math.min(mostAtOnce, bytes.remaining())];
      bytes.get(taken);
      (error ? err : out).writeBytes(taken);
    }

    @Override
    public void window(long bytes) {
      told.add("window " + bytes);
    }

    @Override
    public void exited(long status) {
      told.add("exited " + status);
    }
  }

  static byte[] frame(int type, byte[] payload) {
    return ByteBuffer.allocate(8 + payload.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(type)
        .putInt(payload.length)
        .put(payload)
        .array();
  }

  static byte[] number(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  @Provide
  Arbitrary<List<Integer>> cuts() {
    return Arbitraries.integers().between(1, 400).list().ofMinSize(1).ofMaxSize(50);
  }

  @Property(tries = 300)
  void piecesOfAnyLengthGiveTheSame(
      @ForAll("cuts") List<Integer> cuts,
      @ForAll @Size(max = 2000) byte[] first,
      @ForAll @Size(max = 2000) byte[] second,
      @ForAll @IntRange(min = 1, max = 3000) int mostAtOnce,
      @ForAll int number)
      throws ProtocolException {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    stream.writeBytes(frame(Frame.READY, new byte[0]));
    stream.writeBytes(frame(Frame.STDOUT, first));
    stream.writeBytes(frame(Frame.STDIN_WINDOW, number(number)));
    stream.writeBytes(frame(Frame.STDERR, second));
    stream.writeBytes(frame(Frame.STDOUT, second));
    stream.writeBytes(frame(Frame.EXIT, number(7)));
    Told record = new Told(mostAtOnce);
    FrameDecoder decoder = new FrameDecoder();
    ByteBuffer all = ByteBuffer.wrap(stream.toByteArray());
    for (int i = 0; all.hasRemaining(); i++) {
      int length = Math.min(cuts.get(i % cuts.size()), all.remaining());
      ByteBuffer piece = all.slice(all.position(), length);
      decoder.feed(piece, record);
      all.position(all.position() + piece.position());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(first);
    out.writeBytes(second);
    assertThat(record.out.toByteArray()).isEqualTo(out.toByteArray());
    assertThat(record.err.toByteArray()).isEqualTo(second);
    assertThat(record.told)
        .containsExactly("ready", "window " + Integer.toUnsignedLong(number), "exited 7");
  }

  @Property(tries = 1000)
  void bytesOfAnyContentAreEitherTakenOrRefused(@ForAll @Size(max = 64) byte[] bytes) {
    ByteBuffer input = ByteBuffer.wrap(bytes);
    Told record = new Told(10);
    FrameDecoder decoder = new FrameDecoder();
    try {
      for (int before = -1; input.position() != before; ) {
        before = input.position();
        decoder.feed(input, record);
      }
      assertThat(input.hasRemaining()).isFalse();
    } catch (ProtocolException e) {
      assertThat(e).hasMessageStartingWith("header 0x");
    }
  }

  @Example
  void refusesWhatIsNoFrame() {
    refuses(frame(Frame.READY, new byte[1]));
    refuses(frame(Frame.EXIT, new byte[3]));
    refuses(frame(Frame.STDIN_WINDOW, new byte[8]));
    refuses(frame(Frame.RUN, new byte[1]));
    refuses(frame(0x85, new byte[0]));
    refuses(frame(Frame.STDOUT, new byte[Frame.MAX_PAYLOAD + 1]));
    refuses(
        ByteBuffer.allocate(8)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(Frame.STDOUT)
            .putInt(-1)
            .array());
    refuses(frame(Frame.STDOUT | 0x100, new byte[1]));
    refuses("sh: not found".getBytes(StandardCharsets.US_ASCII));
  }

  private static void refuses(byte[] bytes) {
    assertThatExceptionOfType(ProtocolException.class)
        .isThrownBy(() -> new FrameDecoder().feed(ByteBuffer.wrap(bytes), new Told(100)));
  }
}
