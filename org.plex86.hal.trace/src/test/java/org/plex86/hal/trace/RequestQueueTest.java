// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

class RequestQueueTest {
  /** A chain of one buffer to read and one to write. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Chain(byte[] out, byte[] in) implements Packet {
    @Override
    public List<ByteBuffer> readable() {
      return List.of(ByteBuffer.wrap(out));
    }

    @Override
    public List<ByteBuffer> writable() {
      return List.of(ByteBuffer.wrap(in));
    }

    @Override
    public long readableBytes() {
      return out.length;
    }

    @Override
    public long writableBytes() {
      return in.length;
    }

    @Override
    public int read(long offset, byte[] into, int at, int length) {
      int from = (int) Math.min(offset, out.length);
      int count = Math.min(length, out.length - from);
      System.arraycopy(out, from, into, at, count);
      return count;
    }

    @Override
    public int write(long offset, byte[] from, int at, int length) {
      System.arraycopy(from, at, in, (int) offset, length);
      return length;
    }
  }

  private static final class Guest implements PacketQueue {
    final Deque<Packet> available = new ArrayDeque<>();
    final Deque<Packet> completed = new ArrayDeque<>();

    @Override
    public Packet poll() {
      return available.poll();
    }

    @Override
    public boolean hasAvailable() {
      return !available.isEmpty();
    }

    @Override
    public void complete(Packet packet, long written) {
      completed.add(packet);
    }

    @Override
    public void completeTogether(List<Packet> packets, long[] written) {
      completed.addAll(packets);
    }

    @Override
    public void unpoll(Packet packet) {
      available.addFirst(packet);
    }

    @Override
    public void flush() {}
  }

  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private final TraceFile file = new TraceFile("test", Channels.newChannel(content));
  private final Guest guest = new Guest();
  private final RequestQueue queue = new RequestQueue(guest, file);

  private static byte[] request(int type, long sector, byte[] data) {
    return ByteBuffer.allocate(16 + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, type)
        .putLong(8, sector)
        .put(16, data)
        .array();
  }

  private void serve(byte[] out, int room, int status) {
    Chain chain = new Chain(out, new byte[room]);
    guest.available.add(chain);
    Packet packet = queue.poll();
    if (room > 0) {
      packet.write(room - 1, new byte[] {(byte) status}, 0, 1);
    }
    queue.complete(packet, room);
    assertThat(guest.completed.removeLast()).isSameAs(chain);
  }

  private List<String> lines() {
    file.close();
    return content
        .toString(StandardCharsets.US_ASCII)
        .lines()
        .map(line -> line.replaceAll("^\\S+Z | [\\d.]+$", ""))
        .toList();
  }

  @Test
  void everyRequestHasALineWithItsAnswer() {
    serve(request(1, 8, new byte[1024]), 1, 0);
    serve(request(0, 16, new byte[0]), 513, 0);
    serve(request(4, 0, new byte[0]), 1, 1);
    byte[] range =
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(99).putInt(2).array();
    serve(request(11, 0, range), 1, 2);
    serve(request(13, 0, range), 1, 0);
    serve(request(8, 0, new byte[0]), 21, 0);
    assertThat(lines())
        .containsExactly(
            "write 8 1024 ok",
            "read 16 512 ok",
            "flush 0 0 error",
            "discard 99 1024 unsupported",
            "zeroes 99 1024 ok",
            "id 0 0 ok");
  }

  @Test
  void nonsenseOfTheGuestIsShownAsItIs() {
    serve(request(-1, -1, new byte[0]), 1, 77);
    serve(new byte[3], 0, 0);
    serve(request(11, 0, new byte[0]), 1, 0);
    assertThat(lines())
        .containsExactly(
            "type-4294967295 18446744073709551615 0 77", "read 0 0 none", "discard 0 0 ok");
  }

  @Test
  void requestThatIsPutBackHasNoLineUntilItIsAnswered() {
    guest.available.add(new Chain(request(4, 0, new byte[0]), new byte[1]));
    queue.unpoll(queue.poll());
    queue.complete(queue.poll(), 1);
    assertThat(queue.poll()).isNull();
    assertThat(lines()).containsExactly("flush 0 0 ok");
  }
}
