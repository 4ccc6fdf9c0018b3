// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The chains of a queue that are the device's at present: taken by the driver, in the order of
 * taking, and before it those that wait to be taken (again) because a driver put them back or lost
 * them. For one thread.
 */
final class InFlight {
  /** The packet by which a chain is held, by head; null where the guest owns the descriptor. */
  private final GuestPacket[] holder;

  private final boolean[] owned;
  private final Deque<DescriptorChain> waiting = new ArrayDeque<>();
  private final Deque<DescriptorChain> spare = new ArrayDeque<>();

  /** The end of the list of taken chains, through DescriptorChain.earlier and later. */
  private DescriptorChain last;

  private int taken;

  InFlight(int size) {
    holder = new GuestPacket[size];
    owned = new boolean[size];
  }

  /** Whether the device owns the chain of a head: the guest must not make it available again. */
  boolean owns(int head) {
    return owned[head];
  }

  /** How many packets the driver holds. */
  int taken() {
    return taken;
  }

  boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  /** The chain to be taken again first, or null. */
  DescriptorChain pollWaiting() {
    return waiting.pollFirst();
  }

  /** A chain object to read into. */
  DescriptorChain blank() {
    DescriptorChain chain = spare.pollFirst();
    return chain == null ? new DescriptorChain() : chain;
  }

  /** Gives back a chain object that nothing refers to. */
  void recycle(DescriptorChain chain) {
    spare.addFirst(chain);
  }

  /** The driver takes a chain by a packet. */
  void take(DescriptorChain chain, GuestPacket packet) {
    owned[chain.head()] = true;
    holder[chain.head()] = packet;
    chain.earlier = last;
    chain.later = null;
    if (last != null) {
      last.later = chain;
    }
    last = chain;
    taken++;
  }

  /** A taken chain goes back to the guest. */
  void complete(DescriptorChain chain) {
    unlink(chain);
    owned[chain.head()] = false;
    recycle(chain);
  }

  /** A taken chain, the last one, is to be taken again next. */
  void putBack(DescriptorChain chain) {
    unlink(chain);
    waiting.addFirst(chain);
  }

  boolean isLastTaken(DescriptorChain chain) {
    return chain == last;
  }

  /**
   * Takes all packets from the driver that holds them: their chains wait to be taken again, in
   * order, before all others. Chains are copied, so that a driver that was left behind in the midst
   * of using one (see ChannelSlot) shares no object with the next.
   */
  int takeBack() {
    int count = taken;
    while (last != null) {
      DescriptorChain chain = last;
      holder[chain.head()].markVoid();
      unlink(chain);
      waiting.addFirst(chain.copy());
    }
    spare.clear();
    return count;
  }

  /** Voids all packets for good: the guest has reset the device. */
  void clear() {
    takeBack();
    waiting.clear();
  }

  private void unlink(DescriptorChain chain) {
    if (chain.earlier != null) {
      chain.earlier.later = chain.later;
    }
    if (chain.later == null) {
      last = chain.earlier;
    } else {
      chain.later.earlier = chain.earlier;
    }
    chain.earlier = null;
    chain.later = null;
    holder[chain.head()] = null;
    taken--;
  }
}
