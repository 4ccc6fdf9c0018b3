// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.control.ControlLayout.*;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.plex86.hal.api.Packet;
import org.plex86.monitor.control.Exit;
import org.plex86.monitor.fuzz.FuzzCorpus;
import org.plex86.monitor.virtio.DeviceProfile;
import org.plex86.monitor.virtio.MmioDevice;
import org.plex86.monitor.virtio.MmioTransport;
import org.plex86.monitor.virtio.PlainMemory;
import org.plex86.monitor.virtio.RegisterPage;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * Exits of any numbers, to a device whose queues lie in memory of any content: each is answered,
 * nothing is stored outside of guest memory, and the log stays short.
 */
class ExitFuzzTest {
  private static final int RAM = 1 << 16;
  private static final int EXIT_BYTES = 10;
  private static final int QUEUE_MAX = 16;

  /** Packets of one exit that the device takes: no more than both of its queues hold. */
  private static final int PACKETS_MAX = 2 * QUEUE_MAX;

  private static final byte[] ZEROS = new byte[RAM];

  private final PlainMemory memory = new PlainMemory(RAM);

  static Stream<byte[]> seeds() {
    return Stream.concat(Stream.of(driverAtWork()), FuzzCorpus.of(ExitFuzzTest.class));
  }

  /** A driver that sets up a queue as section 3.1 says, with a chain of two buffers in it. */
  private static byte[] driverAtWork() {
    int[][] writes = {
      {0x70, 1},
      {0x70, 3},
      {0x24, 1},
      {0x20, 1},
      {0x24, 0},
      {0x20, 0},
      {0x70, 11},
      {0x30, 0},
      {0x38, 8},
      {0x80, 0},
      {0x84, 0},
      {0x90, 0x80},
      {0x94, 0},
      {0xa0, 0xa0},
      {0xa4, 0},
      {0x44, 1},
      {0x70, 15},
      {0x50, 0},
      {0x64, 1},
      {0x100, 5},
      {0x44, 0},
      {0x70, 0}
    };
    ByteBuffer input =
        ByteBuffer.allocate(1 + writes.length * EXIT_BYTES + 0x100).order(ByteOrder.LITTLE_ENDIAN);
    input.put((byte) writes.length);
    for (int[] write : writes) {
      input.put((byte) EXIT_MMIO_WRITE).put((byte) 0).putShort((short) write[0]);
      input.put((byte) 4).putInt(write[1]).put((byte) 0);
    }
    int ram = input.position();
    descriptor(input, ram, 0x1000, 16, 1, 1);
    descriptor(input, ram + 16, 0x2000, 64, 2, 0);
    input.putShort(ram + 0x82, (short) 1); // index of the available ring: one chain, head 0
    return input.array();
  }

  private static void descriptor(
      ByteBuffer at, int place, long gpa, int length, int flags, int next) {
    at.putLong(place, gpa).putInt(place + 8, length);
    at.putShort(place + 12, (short) flags).putShort(place + 14, (short) next);
  }

  /** Serves whatever is in its queues. */
  private static final class Device implements MmioDevice {
    private List<Virtqueue> queues = List.of();
    private int taken;

    @Override
    public void driverOk(long features, List<Virtqueue> started) {
      queues = new ArrayList<>(started);
      serve();
    }

    private void serve() {
      for (Virtqueue queue : queues) {
        if (queue == null) {
          continue;
        }
        for (Packet packet; taken < PACKETS_MAX && (packet = queue.poll()) != null; taken++) {
          byte[] in = new byte[(int) Math.min(packet.readableBytes(), 256)];
          packet.read(0, in, 0, in.length);
          queue.complete(packet, packet.write(0, in, 0, in.length));
        }
        queue.flush();
        queue.settle();
      }
    }

    @Override
    public void withdraw(boolean deviceReset) {
      queues.forEach(queue -> discard(queue, deviceReset));
    }

    private static void discard(Virtqueue queue, boolean deviceReset) {
      if (queue != null && (deviceReset || queue.isClosed())) {
        queue.discard();
      }
    }

    @Override
    public void wasReset() {
      queues = List.of();
    }

    @Override
    public void configWritten(int offset, byte[] value) {
      assertThat(offset).isBetween(0, 8 - value.length);
    }

    @Override
    public void kicked(int queue) {
      assertThat(queue).isBetween(0, DeviceProfile.QUEUES_MAX - 1); // which need not be there
      serve();
    }

    @Override
    public void misused(String what) {
      assertThat(what).doesNotContain("\n");
    }
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "6s")
  void areAnswered(byte[] input) {
    ByteBuffer bytes = ByteBuffer.wrap(input).order(ByteOrder.LITTLE_ENDIAN);
    int count = bytes.hasRemaining() ? bytes.get() & 0xff : 0;
    List<Exit> exits = new ArrayList<>();
    while (exits.size() < count && bytes.remaining() >= EXIT_BYTES) {
      exits.add(
          new Exit(
              bytes.get(),
              bytes.get(),
              bytes.getShort() & 0xffff,
              bytes.get(),
              (bytes.getInt() & 0xffffffffL) | (long) bytes.get() << 32));
    }
    memory.all().put(0, ZEROS).put(0, input, bytes.position(), bytes.remaining());
    Device device = new Device();
    MmioTransport transport =
        new MmioTransport(
            new RegisterPage(ByteBuffer.allocateDirect(0x1000)), memory, () -> {}, device);
    assertThat(transport.bind(new DeviceProfile(4, 0x3, List.of(QUEUE_MAX, 4), new byte[8])))
        .isNull();
    Set<String> log = new HashSet<>();
    ExitDispatcher dispatcher = new ExitDispatcher(List.of(transport::write), log::add);
    for (Exit exit : exits) {
      device.taken = 0;
      assertThat(dispatcher.answer(exit).value()).isBetween(0L, 0xffffffffL);
    }
    assertThat(log).hasSizeLessThan(100).noneMatch(line -> line.contains("\n"));
    assertThat(memory.guardsIntact()).isTrue();
  }
}
