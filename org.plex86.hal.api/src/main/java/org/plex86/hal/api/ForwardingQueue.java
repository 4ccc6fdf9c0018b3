// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.List;

/**
 * A queue that passes everything on. A subclass may wrap what {@link #poll} returns in a {@link
 * ForwardingPacket}; the packet is unwrapped where it goes back.
 */
public abstract class ForwardingQueue implements PacketQueue {
  private final PacketQueue above;

  /** Over a queue of the context that the interposer was opened with. */
  protected ForwardingQueue(PacketQueue above) {
    this.above = above;
  }

  @Override
  public Packet poll() {
    return above.poll();
  }

  @Override
  public boolean hasAvailable() {
    return above.hasAvailable();
  }

  @Override
  public void complete(Packet packet, long written) {
    above.complete(unwrap(packet), written);
  }

  @Override
  public void completeTogether(List<Packet> packets, long[] written) {
    above.completeTogether(packets.stream().map(ForwardingQueue::unwrap).toList(), written);
  }

  @Override
  public void unpoll(Packet packet) {
    above.unpoll(unwrap(packet));
  }

  @Override
  public void flush() {
    above.flush();
  }

  private static Packet unwrap(Packet packet) {
    return packet instanceof ForwardingPacket wrapper ? wrapper.above() : packet;
  }
}
