// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.link.VirtioHeader;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;
import org.plex86.hal.testkit.TestSlot;

class NetChannelTest {
  private static final byte[] MAC = {2, 0, 0, 0, 0, 1};

  private LoopBackend backend;

  private TestSlot open(long features) throws HalException {
    TestSlot slot =
        new TestSlot(
            context -> new NetChannel(context, MAC, 1500, port -> backend = new LoopBackend(port)));
    slot.run(() -> slot.channel().start(features));
    return slot;
  }

  private static byte[] frame(int length) {
    byte[] frame = new byte[length];
    for (int i = 0; i < length; i++) {
      frame[i] = (byte) (i * 31);
    }
    return frame;
  }

  private static byte[] withHeader(byte[] frame) {
    byte[] packet = new byte[VirtioHeader.BYTES + frame.length];
    System.arraycopy(frame, 0, packet, VirtioHeader.BYTES, frame.length);
    return packet;
  }

  private static void kick(TestSlot slot, int queue) {
    slot.run(() -> slot.channel().notify(queue));
  }

  /** What the guest finds in its buffers, one array a frame, without the header. */
  private static List<byte[]> received(TestSlot slot) {
    List<byte[]> frames = new ArrayList<>();
    TestQueue queue = slot.virtqueue(NetChannel.RECEIVE);
    for (TestQueue.Used first; (first = queue.takeUsed()) != null; ) {
      byte[] header = first.packet().bytes;
      int buffers = (header[10] & 0xff) | (header[11] & 0xff) << 8;
      byte[] frame = Arrays.copyOfRange(header, VirtioHeader.BYTES, first.written());
      for (int i = 1; i < buffers; i++) {
        TestQueue.Used next = queue.takeUsed();
        int at = frame.length;
        frame = Arrays.copyOf(frame, at + next.written());
        System.arraycopy(next.packet().bytes, 0, frame, at, next.written());
      }
      frames.add(frame);
    }
    return frames;
  }

  @Test
  void frameOfTheGuestReachesTheBackendAsItIs() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.TRANSMIT);
      queue.add(TestPacket.sent(withHeader(frame(60))));
      queue.add(TestPacket.sent(withHeader(frame(1514))));
      kick(slot, NetChannel.TRANSMIT);
      assertThat(backend.sent).containsExactly(frame(60), frame(1514));
      assertThat(backend.batches).isEqualTo(1);
    }
  }

  @Test
  void framesThatAreTooShortOrTooLongAreDropped() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.TRANSMIT);
      for (int length : new int[] {0, 1, 11, 12, 25, 12 + VirtioHeader.FRAME_MAX + 1, 1 << 20}) {
        queue.add(TestPacket.sent(new byte[length]));
      }
      queue.add(TestPacket.sent(withHeader(frame(14))));
      kick(slot, NetChannel.TRANSMIT);
      assertThat(backend.sent).containsExactly(frame(14));
      assertThat(queue.waiting()).isZero();
    }
  }

  @Property(tries = 300)
  void anyPacketIsSentOrDropped(@ForAll List<@Size(max = 200) byte[]> packets) throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.TRANSMIT);
      packets.stream().limit(200).forEach(packet -> queue.add(TestPacket.sent(packet)));
      kick(slot, NetChannel.TRANSMIT);
      assertThat(queue.waiting()).isZero();
      assertThat(backend.sent).allMatch(frame -> frame.length >= VirtioHeader.FRAME_MIN);
    }
  }

  @Property(tries = 300)
  void anyCommandIsAnswered(@ForAll List<@Size(max = 40) byte[]> commands) throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.CONTROL);
      commands.stream().limit(16).forEach(packet -> queue.add(TestPacket.sent(packet)));
      kick(slot, NetChannel.CONTROL);
      assertThat(queue.waiting()).isZero();
    }
  }

  @Test
  void refusedFramesWaitInTheQueueUntilTheBackendTakesThem() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.TRANSMIT);
      queue.add(TestPacket.sent(withHeader(frame(60))));
      queue.add(TestPacket.sent(withHeader(frame(61))));
      slot.run(() -> backend.refusing = true);
      kick(slot, NetChannel.TRANSMIT);
      assertThat(queue.waiting()).isEqualTo(2);
      slot.run(() -> backend.refusing = false);
      backend.port.resumeSending();
      slot.run(() -> {});
      assertThat(backend.sent).containsExactly(frame(60), frame(61));
    }
  }

  @Test
  void frameIsSpreadOverSeveralBuffers() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.RECEIVE);
      for (int i = 0; i < 50; i++) {
        queue.add(TestPacket.room(1526));
      }
      slot.run(
          () -> {
            backend.toDeliver.addAll(List.of(frame(60), frame(20_000), frame(1514), frame(1515)));
            backend.pump();
          });
      assertThat(received(slot))
          .containsExactly(frame(60), frame(20_000), frame(1514), frame(1515));
    }
  }

  @Test
  void frameWithoutRoomWaitsUntilThereIsEnough() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.RECEIVE);
      queue.add(TestPacket.room(1000));
      slot.run(
          () -> {
            backend.toDeliver.add(frame(1500));
            backend.pump();
          });
      assertThat(queue.takeUsed()).isNull();
      queue.add(TestPacket.room(1000));
      kick(slot, NetChannel.RECEIVE);
      assertThat(backend.roomMade).isEqualTo(1);
      assertThat(received(slot)).containsExactly(frame(1500));
    }
  }

  @Test
  void buffersThatCannotHoldAHeaderGoBackUnused() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      TestQueue queue = slot.virtqueue(NetChannel.RECEIVE);
      for (int length : new int[] {0, 1, 11}) {
        queue.add(TestPacket.room(length));
      }
      queue.add(TestPacket.room(2000));
      slot.run(
          () -> {
            backend.toDeliver.add(frame(100));
            backend.pump();
          });
      for (int i = 0; i < 3; i++) {
        assertThat(queue.takeUsed().written()).isZero();
      }
      assertThat(received(slot)).containsExactly(frame(100));
    }
  }

  @Test
  void guestWithoutMergeableBuffersGetsAFrameInOne() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED & ~NetFeatures.MRG_RXBUF)) {
      TestQueue queue = slot.virtqueue(NetChannel.RECEIVE);
      queue.add(TestPacket.room(1526));
      queue.add(TestPacket.room(1526));
      slot.run(
          () -> {
            backend.toDeliver.addAll(List.of(frame(1514), frame(1515)));
            backend.pump();
          });
      assertThat(received(slot)).containsExactly(frame(1514));
    }
  }

  @Test
  void addressThatTheGuestSetsIsSeen() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      slot.virtqueue(NetChannel.CONTROL).add(TestPacket.sent(new byte[] {1, 1, 2, 9, 8, 7, 6, 5}));
      kick(slot, NetChannel.CONTROL);
      assertThat(backend.port.mac()).containsExactly(2, 9, 8, 7, 6, 5);
      assertThat(slot.config()).startsWith(2, 9, 8, 7, 6, 5);
    }
  }

  @Test
  void pulledCableIsSeenByTheGuest() throws HalException {
    try (TestSlot slot = open(NetFeatures.OFFERED)) {
      assertThat(slot.config()[6]).isEqualTo((byte) 1);
      slot.run(() -> backend.port.setLinkUp(false));
      assertThat(slot.config()[6]).isZero();
    }
  }
}
