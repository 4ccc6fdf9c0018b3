// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.monitor.virtio.VirtqueueFixture.readable;
import static org.plex86.monitor.virtio.VirtqueueFixture.writable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.Packet;

class VirtqueueTest {
  private static final int DATA = 0x10000;

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void deliversReadableAndWritablePartsInOrder() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    f.memory.all().put(DATA, ascii("hello, ")).put(DATA + 100, ascii("world"));
    f.guest.add(List.of(readable(DATA, 7), readable(DATA + 100, 5), writable(DATA + 200, 4)));

    Packet packet = f.device.poll();
    byte[] text = new byte[20];
    assertThat(packet.readableBytes()).isEqualTo(12);
    assertThat(packet.writableBytes()).isEqualTo(4);
    assertThat(packet.read(0, text, 1, 19)).isEqualTo(12);
    assertThat(new String(text, 1, 12, StandardCharsets.US_ASCII)).isEqualTo("hello, world");
    assertThat(packet.read(5, text, 0, 4)).isEqualTo(4);
    assertThat(new String(text, 0, 4, StandardCharsets.US_ASCII)).isEqualTo(", wo");
    assertThat(packet.read(12, text, 0, 1)).isZero();
    assertThat(packet.write(1, ascii("xyz!"), 0, 4)).isEqualTo(3);
    f.device.complete(packet, 4);

    assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(0, 4));
    assertThat(f.memory.all().get(DATA + 203)).isEqualTo((byte) 'z');
    assertThat(f.memory.all().get(DATA + 204)).isZero();
    assertThat(f.device.poll()).isNull();
  }

  @Test
  void givesTwoViewsOfBufferAcrossSplitOfRam() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    int start = VirtqueueFixture.SPLIT - 10;
    f.memory.all().put(start, ascii("0123456789abcdef"));
    f.guest.add(List.of(readable(start, 16), writable(start, 16)));

    Packet packet = f.device.poll();
    assertThat(packet.readable()).extracting(ByteBuffer::remaining).containsExactly(10, 6);
    byte[] all = new byte[16];
    packet.read(0, all, 0, 16);
    assertThat(all).isEqualTo(ascii("0123456789abcdef"));
    packet.write(8, ascii("WXYZ"), 0, 4);
    assertThat(f.memory.all().get(start + 9)).isEqualTo((byte) 'X');
    assertThat(f.memory.all().get(start + 11)).isEqualTo((byte) 'Z');
  }

  @Test
  void viewsEndWhereTheirBufferEnds() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    f.guest.add(List.of(readable(DATA, 7)));
    ByteBuffer view = f.device.poll().readable().get(0);
    assertThatThrownBy(() -> view.get(7)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void readsChainOfIndirectTableAfterDirectDescriptors() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    // at an odd address: section 2.7.5.3 demands no alignment of the table
    f.guest.putAt(0x20001, DATA, 5, ChainReader.NEXT, 1);
    f.guest.putAt(0x20011, DATA, 6, ChainReader.WRITE, 0);
    f.guest.putDescriptor(0, DATA, 4, ChainReader.NEXT, 1);
    f.guest.putDescriptor(1, 0x20001, 32, ChainReader.INDIRECT | ChainReader.WRITE, 0);
    f.guest.makeAvailable(0);
    Packet packet = f.device.poll();
    assertThat(packet.readableBytes()).isEqualTo(9);
    assertThat(packet.writableBytes()).isEqualTo(6);
  }

  @Test
  void completesInAnyOrder() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    int a = f.guest.add(List.of(writable(DATA, 8)));
    int b = f.guest.add(List.of(writable(DATA, 8)));
    Packet first = f.device.poll();
    Packet second = f.device.poll();
    f.device.complete(second, 3);
    f.device.complete(first, 5);
    assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(b, 3));
    assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(a, 5));
  }

  @Test
  void refusesSecondCompletionAndTooManyBytes() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    f.guest.add(List.of(writable(DATA, 8)));
    Packet packet = f.device.poll();
    assertThatThrownBy(() -> f.device.complete(packet, 9))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("written=9, writableBytes=8");
    f.device.complete(packet, 8);
    assertThatThrownBy(() -> f.device.complete(packet, 8))
        .isInstanceOf(IllegalStateException.class);
    f.guest.add(List.of(writable(DATA, 8))); // reuses the chain's object, not the packet's
    f.device.poll();
    assertThatThrownBy(() -> f.device.complete(packet, 8))
        .isInstanceOf(IllegalStateException.class);
    assertThat(f.guest.usedIndex()).isEqualTo(1);
  }

  @Test
  void refusesPacketOfAnotherQueue() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    VirtqueueFixture other = new VirtqueueFixture(8, true);
    f.guest.add(List.of(writable(DATA, 8)));
    Packet packet = f.device.poll();
    assertThatThrownBy(() -> other.device.complete(packet, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void pollsAgainWhatWasPutBack() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    int a = f.guest.add(List.of(writable(DATA, 8)));
    int b = f.guest.add(List.of(writable(DATA, 8)));
    Packet first = f.device.poll();
    Packet second = f.device.poll();
    assertThatThrownBy(() -> f.device.unpoll(first)).isInstanceOf(IllegalStateException.class);
    f.device.unpoll(second);
    f.device.unpoll(first);
    f.device.complete(first, 0); // void: no effect
    assertThat(f.device.hasAvailable()).isTrue();
    f.device.complete(f.device.poll(), 1);
    f.device.complete(f.device.poll(), 2);
    assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(a, 1));
    assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(b, 2));
  }

  @Test
  void givesPacketsTakenBackToNextDriverInOrderAndVoidsTheOldOnes() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    for (int length = 1; length <= 4; length++) {
      f.guest.add(List.of(writable(DATA, length)));
    }
    Packet first = f.device.poll();
    Packet second = f.device.poll();
    Packet third = f.device.poll();
    f.device.complete(second, 0);
    assertThat(f.device.takeBack()).isEqualTo(2);

    f.device.complete(first, 1);
    assertThat(third.write(0, new byte[3], 0, 3)).isZero();
    assertThat(third.writable()).isEmpty();
    assertThat(f.guest.usedIndex()).isEqualTo(1);
    assertThat(List.of(f.device.poll(), f.device.poll(), f.device.poll()))
        .extracting(Packet::writableBytes)
        .containsExactly(1L, 3L, 4L);
    assertThat(f.device.poll()).isNull();
  }

  @Test
  void isSilentOnceClosed() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, true);
    f.guest.add(List.of(writable(DATA, 8)));
    f.guest.add(List.of(writable(DATA, 8)));
    Packet packet = f.device.poll();
    f.device.close();
    f.device.complete(packet, 0);
    f.device.flush();
    assertThat(f.device.poll()).isNull();
    assertThat(f.device.hasAvailable()).isFalse();
    assertThat(f.guest.usedIndex()).isZero();
    assertThat(f.interrupts).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void asksForKickOnlyWhenItFoundTheQueueEmpty(boolean eventIndex) throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, eventIndex);
    f.guest.add(List.of(writable(DATA, 1)));
    assertThat(f.guest.needsKick()).as("a fresh queue").isTrue();
    f.device.poll();
    f.guest.add(List.of(writable(DATA, 1)));
    assertThat(f.guest.needsKick()).as("while the driver is at it").isFalse();
    f.device.poll();
    assertThat(f.device.poll()).isNull();
    f.guest.add(List.of(writable(DATA, 1)));
    assertThat(f.guest.needsKick()).as("after it found nothing").isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void settlesForQueueThatDriverLeftEmptyWithoutLooking(boolean eventIndex) throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, eventIndex);
    f.guest.add(List.of(writable(DATA, 1)));
    f.guest.needsKick();
    f.device.poll();
    assertThat(f.device.settle()).isFalse();
    f.guest.add(List.of(writable(DATA, 1)));
    assertThat(f.guest.needsKick()).isTrue();

    f.device.poll();
    f.guest.add(List.of(writable(DATA, 1)));
    assertThat(f.guest.needsKick()).isFalse();
    assertThat(f.device.settle()).as("came in the driver's turn").isTrue();
    assertThat(f.device.settle()).as("announced by now, so it is the driver's choice").isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interruptsOnceForBatchIfTheGuestWantsIt(boolean eventIndex) throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(8, eventIndex);
    f.guest.enableInterrupts();
    f.guest.add(List.of(writable(DATA, 1)));
    f.guest.add(List.of(writable(DATA, 1)));
    f.device.complete(f.device.poll(), 0);
    f.device.complete(f.device.poll(), 0);
    assertThat(f.interrupts).isZero();
    f.device.flush();
    f.device.flush();
    assertThat(f.interrupts).isEqualTo(1);
    f.guest.takeUsed();
    f.guest.takeUsed();
    f.guest.disableInterrupts();
    f.guest.add(List.of(writable(DATA, 1)));
    f.device.complete(f.device.poll(), 0);
    f.device.flush();
    assertThat(f.interrupts).isEqualTo(1);
  }

  @Test
  void goesRoundTheIndicesManyTimes() throws RingViolation {
    VirtqueueFixture f = new VirtqueueFixture(4, true);
    for (int i = 0; i < 200_000; i++) {
      int head = f.guest.add(List.of(writable(DATA, 8)));
      assertThat(f.guest.needsKick()).isTrue();
      f.device.complete(f.device.poll(), i % 9);
      assertThat(f.device.poll()).isNull();
      assertThat(f.guest.takeUsed()).isEqualTo(new ModelQueue.Used(head, i % 9));
    }
    assertThat(f.violations).isEmpty();
  }
}
