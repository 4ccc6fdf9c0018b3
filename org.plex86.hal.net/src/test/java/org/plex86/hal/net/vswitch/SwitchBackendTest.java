// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.device.NetChannel;
import org.plex86.hal.net.link.VirtioHeader;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;
import org.plex86.hal.testkit.TestSlot;

/** Three cards on a switch. */
class SwitchBackendTest {
  private static final int RECEIVE = 0;
  private static final int TRANSMIT = 1;
  private static final int BROADCAST = 0xff;

  private TestSlot one;
  private TestSlot two;
  private TestSlot three;

  private static TestSlot.Opener card(int number) {
    return context ->
        new NetChannel(
            context,
            new byte[] {2, 0, 0, 0, 0, (byte) number},
            1500,
            port -> SwitchBackend.open(port, "unit", context.inherited()));
  }

  private static TestSlot plug(int number) throws HalException {
    TestSlot slot = new TestSlot(card(number));
    slot.run(() -> slot.channel().start(slot.channel().features()));
    return slot;
  }

  @BeforeEach
  void plugIn() throws HalException {
    one = plug(1);
    two = plug(2);
    three = plug(3);
  }

  @AfterEach
  void unplug() {
    one.close();
    two.close();
    three.close();
  }

  private static void send(TestSlot from, int source, int destination, int content) {
    byte[] packet = new byte[VirtioHeader.BYTES + 60];
    byte[] to = new byte[6];
    if (destination == BROADCAST) {
      Arrays.fill(to, (byte) BROADCAST);
    } else {
      to = new byte[] {2, 0, 0, 0, 0, (byte) destination};
    }
    System.arraycopy(to, 0, packet, VirtioHeader.BYTES, 6);
    packet[VirtioHeader.BYTES + 6] = 2;
    packet[VirtioHeader.BYTES + 11] = (byte) source;
    packet[VirtioHeader.BYTES + 59] = (byte) content;
    from.virtqueue(TRANSMIT).add(TestPacket.sent(packet));
    from.run(() -> from.channel().notify(TRANSMIT));
  }

  /** The last byte of the next frame that a guest got; -1: none. */
  private static int receive(TestSlot at) {
    at.virtqueue(RECEIVE).add(TestPacket.room(200));
    at.run(() -> at.channel().notify(RECEIVE));
    TestQueue.Used used = at.virtqueue(RECEIVE).takeUsed();
    return used == null ? -1 : used.packet().bytes[VirtioHeader.BYTES + 59];
  }

  @Test
  void broadcastReachesAllOthers() {
    send(one, 1, BROADCAST, 7);
    assertThat(receive(two)).isEqualTo(7);
    assertThat(receive(three)).isEqualTo(7);
    assertThat(receive(one)).isEqualTo(-1);
  }

  @Test
  void frameForAnUnknownAddressReachesAllOthersAndForAKnownOneOnlyItsPort() {
    send(one, 1, 2, 7);
    assertThat(receive(two)).isEqualTo(7);
    assertThat(receive(three)).isEqualTo(7);
    send(two, 2, 1, 8);
    assertThat(receive(one)).isEqualTo(8);
    assertThat(receive(three)).isEqualTo(-1);
    send(one, 1, 2, 9);
    assertThat(receive(two)).isEqualTo(9);
    assertThat(receive(three)).isEqualTo(-1);
  }

  @Test
  void addressThatMovesIsFoundAtItsNewPort() {
    send(two, 2, BROADCAST, 1);
    receive(one);
    receive(three);
    send(three, 2, BROADCAST, 2);
    receive(one);
    receive(two);
    send(one, 1, 2, 3);
    assertThat(receive(three)).isEqualTo(3);
    assertThat(receive(two)).isEqualTo(-1);
  }

  @Test
  void framesThatWaitForAGuestAreItsSuccessorsAfterASwap() {
    send(two, 2, BROADCAST, 1);
    for (int i = 10; i < 20; i++) {
      send(one, 1, 2, i);
    }
    two.swap(card(2), two.channel().features());
    for (int i = 10; i < 20; i++) {
      assertThat(receive(two)).isEqualTo(i);
    }
    send(one, 1, 2, 20);
    assertThat(receive(two)).isEqualTo(20);
  }

  @Test
  void guestThatDoesNotReceiveCostsBoundedMemory() {
    send(two, 2, BROADCAST, 1);
    for (int i = 0; i < 20_000; i++) {
      send(one, 1, 2, 7);
      one.virtqueue(TRANSMIT).takeUsed();
    }
    int got = 0;
    while (receive(two) == 7) {
      got++;
    }
    assertThat(got).isBetween(1000, (int) (SharedPort.QUEUE_LIMIT / 256));
  }
}
