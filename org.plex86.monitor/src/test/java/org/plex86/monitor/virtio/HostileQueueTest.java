// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.plex86.monitor.virtio.VirtqueueFixture.readable;
import static org.plex86.monitor.virtio.VirtqueueFixture.writable;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every way to break the rules of a queue, one by one: it breaks the queue, with a clear reason.
 */
class HostileQueueTest {
  private static final int SIZE = 8;
  private static final int DATA = 0x10000;
  private static final int TABLE = 0x20000;
  private static final int NEXT = ChainReader.NEXT;
  private static final int WRITE = ChainReader.WRITE;
  private static final int INDIRECT = ChainReader.INDIRECT;

  private record Attack(String name, Consumer<ModelQueue> setUp, String reason) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Attack descriptor(
      String name, long gpa, int length, int flags, int next, String reason) {
    return new Attack(
        name,
        guest -> {
          guest.putDescriptor(0, gpa, length, flags, next);
          guest.makeAvailable(0);
        },
        reason);
  }

  private static Attack table(String name, Consumer<ModelQueue> entries, int bytes, String reason) {
    return new Attack(
        name,
        guest -> {
          entries.accept(guest);
          guest.putDescriptor(0, TABLE, bytes, INDIRECT, 0);
          guest.makeAvailable(0);
        },
        reason);
  }

  static Stream<Attack> attacks() {
    return Stream.of(
        new Attack("head beyond the queue", g -> g.makeAvailable(SIZE), "descriptor 8 was made"),
        new Attack("head of 65535", g -> g.makeAvailable(0xffff), "descriptor 65535 was made"),
        new Attack("index too far ahead", g -> g.setAvailableIndex(SIZE + 1), "9 ahead"),
        new Attack("index behind", g -> g.setAvailableIndex(0xffff), "65535 ahead"),
        descriptor("chain to itself", DATA, 4, NEXT, 0, "loops"),
        new Attack(
            "chain in a circle",
            g -> {
              g.putDescriptor(0, DATA, 4, NEXT, 1);
              g.putDescriptor(1, DATA, 4, NEXT, 0);
              g.makeAvailable(0);
            },
            "loops"),
        descriptor("next beyond the queue", DATA, 4, NEXT, SIZE, "goes on at 8"),
        descriptor("zero length", DATA, 0, 0, 0, "zero length"),
        descriptor("buffer beyond RAM", VirtqueueFixture.RAM, 1, 0, 0, "outside RAM"),
        descriptor("buffer across RAM's end", VirtqueueFixture.RAM - 1, 2, 0, 0, "outside RAM"),
        descriptor("buffer of 4 GiB less 1", 0, -1, WRITE, 0, "outside RAM"),
        descriptor("address that overflows", -1L, 16, 0, 0, "outside RAM"),
        descriptor("address with sign", Long.MIN_VALUE, 16, WRITE, 0, "outside RAM"),
        new Attack(
            "readable after writable",
            g -> g.add(List.of(writable(DATA, 4), readable(DATA, 4))),
            "device-readable after"),
        new Attack(
            "the same head twice",
            g -> {
              g.putDescriptor(0, DATA, 4, 0, 0);
              g.makeAvailable(0);
              g.makeAvailable(0);
            },
            "before it was used"),
        descriptor("indirect with next", TABLE, 16, INDIRECT | NEXT, 1, "both INDIRECT and NEXT"),
        descriptor("table of no bytes", TABLE, 0, INDIRECT, 0, "has 0 bytes"),
        descriptor("table of half an entry", TABLE, 24, INDIRECT, 0, "has 24 bytes"),
        descriptor("table of 65536 entries", 0, 16 << 16, INDIRECT, 0, "65536 entries"),
        descriptor("table across RAM's end", VirtqueueFixture.RAM - 16, 32, INDIRECT, 0, "outside"),
        descriptor("table at the end of the world", -16L, 16, INDIRECT, 0, "outside RAM"),
        table(
            "table in a table", g -> g.putAt(TABLE, DATA, 16, INDIRECT, 0), 16, "INDIRECT itself"),
        table("table that loops", g -> g.putAt(TABLE, DATA, 16, NEXT, 0), 32, "loops"),
        table("table that goes beyond", g -> g.putAt(TABLE, DATA, 16, NEXT, 2), 32, "goes on at 2"),
        table("table with zero length", g -> g.putAt(TABLE, DATA, 0, 0, 0), 16, "zero length"),
        table("table with a bad buffer", g -> g.putAt(TABLE, -1, 8, 0, 0), 16, "outside RAM"));
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void breaksTheQueueAndSaysWhy(Attack attack) throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(SIZE, true);
    attack.setUp().accept(f.guest);
    while (f.device.poll() != null) {
      assertThat(f.device.inFlight()).isLessThanOrEqualTo(SIZE);
    }
    assertThat(f.violations).singleElement().asString().contains(attack.reason());
    assertThat(f.device.poll()).isNull();
    assertThat(f.device.hasAvailable()).isFalse();
    assertThat(f.device.settle()).isFalse();
    assertThat(f.memory.guardsIntact()).isTrue();
  }

  @Test
  void takesTheLongestChainThatTheQueueHolds() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(SIZE, true);
    for (int i = 0; i < SIZE; i++) {
      f.guest.putDescriptor(i, DATA, 1, i == SIZE - 1 ? 0 : NEXT, i + 1);
    }
    f.guest.makeAvailable(0);
    assertThat(f.device.poll().readableBytes()).isEqualTo(SIZE);
    assertThat(f.violations).isEmpty();
  }

  @Test
  void takesTableOfAsManyEntriesAsTheLimitAndNotOneMore() throws RingViolation {
    for (int entries : new int[] {ChainReader.CHAIN_LIMIT, ChainReader.CHAIN_LIMIT + 1}) {
      VirtqueueFixture f = new VirtqueueFixture(SIZE, true);
      for (int i = 0; i < entries; i++) {
        f.guest.putAt(TABLE + 16 * i, DATA, 1, i == entries - 1 ? 0 : NEXT, i + 1);
      }
      f.guest.putDescriptor(0, TABLE, 16 * entries, INDIRECT, 0);
      f.guest.makeAvailable(0);
      assertThat(f.device.poll() != null).isEqualTo(entries == ChainReader.CHAIN_LIMIT);
    }
  }

  @Test
  void refusesTableOfGuestThatHasNotNegotiatedThem() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(SIZE, true);
    Virtqueue plain = new Virtqueue(0, f.guest.layout(), VirtioFeatures.VERSION_1, f.memory, f);
    f.guest.addIndirect(List.of(readable(DATA, 4)), TABLE);
    assertThat(plain.poll()).isNull();
    assertThat(f.violations).singleElement().asString().contains("not negotiated");
  }

  @Test
  void keepsEarlierPacketsUsableWhenALaterOneBreaksTheQueue() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(SIZE, true);
    f.guest.add(List.of(writable(DATA, 4)));
    f.guest.makeAvailable(99);
    var packet = f.device.poll();
    assertThat(f.device.poll()).isNull();
    assertThat(packet.write(0, new byte[4], 0, 4)).isEqualTo(4);
    f.device.complete(packet, 4);
    assertThat(f.guest.usedIndex()).as("a broken queue is left alone").isZero();
  }
}
