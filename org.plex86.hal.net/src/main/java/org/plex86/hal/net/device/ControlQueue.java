// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.util.Arrays;
import java.util.function.Consumer;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/** Commands of the guest's driver (virtio 1.2, section 5.1.6.5). Slot's thread. */
final class ControlQueue {
  private static final int CLASS_RX = 0;
  private static final int RX_PROMISC = 0;
  private static final int RX_ALLMULTI = 1;
  private static final int CLASS_MAC = 1;
  private static final int MAC_TABLE_SET = 0;
  private static final int MAC_ADDR_SET = 1;

  private static final byte OK = 0;
  private static final byte ERR = 1;

  private static final int HEADER_BYTES = 2;
  private static final int MAC_BYTES = 6;

  /** Commands in one go; Linux sends one and waits. */
  private static final int BUDGET = 64;

  private final PacketQueue queue;
  private final Consumer<byte[]> onAddress;
  private final byte[] command = new byte[HEADER_BYTES + MAC_BYTES];

  /**
   * Commands of a queue.
   *
   * @param onAddress takes a new address of the card
   */
  ControlQueue(PacketQueue queue, Consumer<byte[]> onAddress) {
    this.queue = queue;
    this.onAddress = onAddress;
  }

  /** Answers commands; returns whether there may be more. */
  boolean pump() {
    int count = 0;
    for (Packet packet; count < BUDGET && (packet = queue.poll()) != null; count++) {
      byte[] answer = {execute(packet)};
      queue.complete(packet, packet.write(0, answer, 0, 1));
    }
    if (count > 0) {
      queue.flush();
    }
    return count == BUDGET;
  }

  private byte execute(Packet packet) {
    int length = packet.read(0, command, 0, command.length);
    if (length <= HEADER_BYTES) {
      return ERR;
    }
    return switch (command[0]) {
      // Filters are a help that a driver must not rely on (section 5.1.6.5.1): it gets all frames.
      case CLASS_RX -> command[1] == RX_PROMISC || command[1] == RX_ALLMULTI ? OK : ERR;
      case CLASS_MAC ->
          switch (command[1]) {
            case MAC_TABLE_SET -> OK;
            case MAC_ADDR_SET -> setAddress(packet.readableBytes());
            default -> ERR;
          };
      default -> ERR;
    };
  }

  private byte setAddress(long length) {
    boolean group = (command[HEADER_BYTES] & 1) != 0;
    if (length != command.length || group) {
      return ERR;
    }
    onAddress.accept(Arrays.copyOfRange(command, HEADER_BYTES, command.length));
    return OK;
  }
}
