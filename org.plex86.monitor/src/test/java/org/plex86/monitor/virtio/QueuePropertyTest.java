// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.plex86.hal.api.Packet;

class QueuePropertyTest {
  private static final int POOL = 0x20000; // buffers of the guest
  private static final int TABLES = 0xf0000; // its indirect tables

  /** What the guest expects of a chain that it has added. */
  private record Sent(ByteBuffer content, List<ModelQueue.Buffer> writable) {}

  private static List<ModelQueue.Buffer> randomChain(Random random, int most) {
    int count = 1 + random.nextInt(most);
    int readable = random.nextInt(count + 1);
    List<ModelQueue.Buffer> chain = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      // disjoint, so that each can be checked: a slice of the pool for each of 8 places
      int place = random.nextInt(64);
      int length = 1 + random.nextInt(2000);
      chain.add(new ModelQueue.Buffer(POOL + place * 8192 + i * 2048L, length, i >= readable));
    }
    return chain;
  }

  /** Takes a packet as a driver would: reads all, writes its length and then the bytes reversed. */
  private static long echo(Packet packet) {
    byte[] in = new byte[(int) packet.readableBytes()];
    assertThat(packet.read(0, in, 0, in.length)).isEqualTo(in.length);
    byte[] out = new byte[(int) packet.writableBytes()];
    for (int i = 0; i < out.length; i++) {
      out[i] = in.length == 0 ? (byte) i : in[in.length - 1 - i % in.length];
    }
    int written = packet.write(0, out, 0, out.length);
    assertThat(written).isEqualTo(out.length);
    return written;
  }

  private static byte[] expected(byte[] in, int length) {
    byte[] out = new byte[length];
    for (int i = 0; i < length; i++) {
      out[i] = in.length == 0 ? (byte) i : in[in.length - 1 - i % in.length];
    }
    return out;
  }

  @Property(tries = 300)
  void everyChainMakesTheRoundTripOnceAndUnchanged(
      @ForAll long seed, @ForAll boolean eventIndex, @ForAll @IntRange(min = 1, max = 5) int order)
      throws RingViolation {
    Random random = new Random(seed);
    int size = 1 << order;
    VirtqueueFixture f = new VirtqueueFixture(size, eventIndex);
    ByteBuffer ram = f.memory.all();
    Map<Integer, Sent> sent = new HashMap<>();
    for (int round = 0; round < 60; round++) {
      // one chain at a time in memory, as places of different chains may coincide
      List<ModelQueue.Buffer> chain = randomChain(random, Math.min(size, 4));
      ByteBuffer content = ByteBuffer.allocate(8192);
      List<ModelQueue.Buffer> writable = new ArrayList<>();
      for (ModelQueue.Buffer buffer : chain) {
        byte[] bytes = new byte[buffer.length()];
        random.nextBytes(bytes);
        ram.put((int) buffer.gpa(), bytes);
        if (buffer.writable()) {
          writable.add(buffer);
        } else {
          content.put(bytes);
        }
      }
      byte[] in = new byte[content.position()];
      content.flip().get(in);
      boolean indirect = random.nextBoolean();
      int head = indirect ? f.guest.addIndirect(chain, TABLES) : f.guest.add(chain);
      sent.put(head, new Sent(ByteBuffer.wrap(in), writable));

      Packet packet = f.device.poll();
      f.device.complete(packet, echo(packet));
      f.device.flush();
      checkUsed(f, ram, sent);
    }
    assertThat(sent).isEmpty();
    assertThat(f.violations).isEmpty();
    assertThat(f.memory.guardsIntact()).isTrue();
  }

  private static void checkUsed(VirtqueueFixture f, ByteBuffer ram, Map<Integer, Sent> sent) {
    for (ModelQueue.Used used; (used = f.guest.takeUsed()) != null; ) {
      Sent chain = sent.remove(used.head());
      int total = chain.writable().stream().mapToInt(ModelQueue.Buffer::length).sum();
      assertThat(used.written()).isEqualTo(total);
      byte[] out = new byte[total];
      int at = 0;
      for (ModelQueue.Buffer buffer : chain.writable()) {
        ram.get((int) buffer.gpa(), out, at, buffer.length());
        at += buffer.length();
      }
      assertThat(out).isEqualTo(expected(chain.content().array(), total));
    }
  }

  /** Any bytes where the rings are: no exception, no hang, no byte changed outside of RAM. */
  @Property(tries = 2000)
  void garbageInTheRingsBreaksNothingButTheQueue(
      @ForAll long seed, @ForAll boolean eventIndex, @ForAll @IntRange(min = 0, max = 8) int order)
      throws RingViolation {
    Random random = new Random(seed);
    int size = 1 << order;
    VirtqueueFixture f = new VirtqueueFixture(size, eventIndex);
    ByteBuffer ram = f.memory.all();
    for (int round = 0; round < 8; round++) {
      scribble(random, ram, size);
      List<Packet> taken = new ArrayList<>();
      for (int i = 0; i <= size; i++) {
        Packet packet = f.device.poll();
        if (packet == null) {
          break;
        }
        use(random, packet);
        taken.add(packet);
        if (random.nextInt(3) == 0) {
          scribble(random, ram, size); // in the midst of it
        }
        if (random.nextInt(3) == 0) {
          Packet done = taken.remove(random.nextInt(taken.size()));
          f.device.complete(done, done.writableBytes());
        }
        f.device.flush();
      }
      assertThat(f.device.inFlight()).isLessThanOrEqualTo(size);
      f.device.takeBack();
      f.device.settle();
    }
    assertThat(f.violations).hasSizeLessThanOrEqualTo(1);
    assertThat(f.memory.guardsIntact()).isTrue();
  }

  private static void use(Random random, Packet packet) {
    byte[] bytes = new byte[256];
    packet.read(random.nextInt(64), bytes, 0, bytes.length);
    packet.write(random.nextInt(64), bytes, 0, bytes.length);
    for (ByteBuffer view : packet.writable()) {
      view.put(view.limit() - 1, (byte) 1);
    }
    for (ByteBuffer view : packet.readable()) {
      view.get(view.limit() - 1);
    }
  }

  /** Writes descriptors, indices and heads that are plausible more often than random ones are. */
  private static void scribble(Random random, ByteBuffer ram, int size) {
    int base = VirtqueueFixture.BASE;
    for (int i = 0; i < size; i++) {
      int at = base + 16 * i;
      ram.putLong(at, address(random));
      ram.putInt(at + 8, length(random));
      ram.putShort(at + 12, (short) flags(random));
      ram.putShort(at + 14, (short) random.nextInt(size + (random.nextInt(20) == 0 ? 2 : 0)));
    }
    for (int i = 0; i < 64; i++) {
      int at = TABLES + 16 * i;
      ram.putLong(at, address(random));
      ram.putInt(at + 8, length(random));
      ram.putShort(at + 12, (short) flags(random));
      ram.putShort(at + 14, (short) random.nextInt(8));
    }
    int available = base + 16 * size;
    for (int i = 0; i < size; i++) {
      ram.putShort(available + 4 + 2 * i, (short) (random.nextInt(50) == 0 ? random.nextInt() : i));
    }
    int index = ram.getShort(available + 2) & 0xffff;
    int step = random.nextInt(20) == 0 ? random.nextInt() : random.nextInt(size + 1);
    ram.putShort(available + 2, (short) (index + step));
  }

  private static long address(Random random) {
    return switch (random.nextInt(12)) {
      case 0 -> random.nextLong();
      case 1 -> VirtqueueFixture.RAM - random.nextInt(16);
      case 2 -> VirtqueueFixture.SPLIT - random.nextInt(16);
      case 3, 4 -> TABLES;
      default -> POOL + random.nextInt(0x40000);
    };
  }

  private static int length(Random random) {
    return switch (random.nextInt(12)) {
      case 0 -> random.nextInt();
      case 1 -> 0;
      case 2, 3, 4 -> 16 * (1 + random.nextInt(8));
      default -> 1 + random.nextInt(0x4000);
    };
  }

  private static int flags(Random random) {
    return random.nextInt(8) == 0 ? random.nextInt(0x10000) : random.nextInt(4);
  }
}
