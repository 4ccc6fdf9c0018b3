// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.lang.invoke.VarHandle;
import java.util.List;
import org.plex86.hal.api.Packet;

/**
 * The device side of one split virtqueue (section 2.7). For one thread at a time, that of the slot,
 * but for {@link #close}.
 *
 * <p>Kicks: the guest is asked to kick only when {@link #poll} or {@link #hasAvailable} has found
 * the queue empty, and not again before; as the guest can add a packet just before it sees that
 * request, the queue is looked at once more after a full fence (section 2.7.10.1). A driver that
 * leaves packets in the queue is not kicked for further ones: it knows that there are some.
 */
public final class Virtqueue {
  /** Told of what a queue makes happen outside of it, on the queue's thread. */
  interface Owner {
    /** The guest broke the rules; the queue has closed itself. */
    void violated(int queue, String what);

    /** The guest wants an interrupt for what was completed. */
    void interrupt();
  }

  private final int number;
  private final GuestMemory memory;
  private final SplitRings rings;
  private final ChainReader reader;
  private final InFlight inFlight;
  private final boolean eventIndex;
  private final Owner owner;

  /** Set by whoever ends the queue; seen by its thread at the next call. */
  private volatile boolean closed;

  private int nextAvailable; // free-running, of the chain to be read next
  private int availableSeen; // avail.idx when it was last read
  private int usedIndex; // free-running, of the next used element
  private int unsignalled; // completed since the guest was last given the chance of an interrupt
  private boolean armed = true; // the guest will kick for the next chain
  private long takenCount;
  private long completedCount;

  /** The layout was checked. Features are those that were negotiated. */
  Virtqueue(int number, QueueLayout layout, long features, GuestMemory memory, Owner owner) {
    this.number = number;
    this.memory = memory;
    this.owner = owner;
    rings = new SplitRings(layout, memory);
    reader = new ChainReader(rings, memory, VirtioFeatures.has(features, VirtioFeatures.INDIRECT));
    inFlight = new InFlight(layout.size());
    eventIndex = VirtioFeatures.has(features, VirtioFeatures.EVENT_INDEX);
    // a fresh ring is zero, where the guest has cleared it
    rings.setUsedFlags(0);
    if (eventIndex) {
      rings.setAvailableEvent(0);
    }
  }

  /** The number of descriptors. */
  public int size() {
    return rings.size();
  }

  /** As {@link org.plex86.hal.api.PacketQueue#poll}. */
  public Packet poll() {
    if (closed) {
      return null;
    }
    DescriptorChain chain = inFlight.pollWaiting();
    if (chain == null) {
      chain = readNext();
      if (chain == null) {
        return null;
      }
    }
    GuestPacket packet = new GuestPacket(this, memory, chain);
    inFlight.take(chain, packet);
    takenCount++;
    return packet;
  }

  /** As {@link org.plex86.hal.api.PacketQueue#hasAvailable}. */
  public boolean hasAvailable() {
    return !closed && (inFlight.hasWaiting() || ringHasMore());
  }

  private DescriptorChain readNext() {
    if (!ringHasMore()) {
      return null;
    }
    DescriptorChain chain = inFlight.blank();
    try {
      int ahead = (availableSeen - nextAvailable) & 0xffff;
      if (ahead > rings.size()) {
        throw new RingViolation(
            "avail.idx is %d ahead, more than the queue of %d".formatted(ahead, rings.size()));
      }
      int head = rings.availableHead(nextAvailable);
      if (head >= rings.size()) {
        throw new RingViolation(
            "descriptor %d was made available in a queue of %d".formatted(head, rings.size()));
      }
      if (inFlight.owns(head)) {
        throw new RingViolation(
            "descriptor %d was made available again before it was used".formatted(head));
      }
      reader.read(head, chain);
    } catch (RingViolation violation) {
      inFlight.recycle(chain);
      closed = true;
      owner.violated(number, violation.getMessage());
      return null;
    }
    nextAvailable = (nextAvailable + 1) & 0xffff;
    if (armed) {
      armed = false;
      if (!eventIndex) { // with it, avail_event has been passed, which is as good
        rings.setUsedFlags(SplitRings.NO_NOTIFY);
      }
    }
    return chain;
  }

  /** Whether the ring holds a chain; if not, the guest will kick for the next one. */
  private boolean ringHasMore() {
    if (nextAvailable != availableSeen) {
      return true;
    }
    availableSeen = rings.availableIndex();
    if (nextAvailable == availableSeen && !armed) {
      armed = true;
      if (eventIndex) {
        rings.setAvailableEvent(nextAvailable);
      } else {
        rings.setUsedFlags(0);
      }
      // the guest's side: write avail.idx, fence, read avail_event; so one of us sees the other
      VarHandle.fullFence();
      availableSeen = rings.availableIndex();
    }
    return nextAvailable != availableSeen;
  }

  /** As {@link org.plex86.hal.api.PacketQueue#complete}; does nothing for a void packet. */
  public void complete(Packet packet, long written) {
    if (put(packet, written)) {
      rings.publishUsed(usedIndex);
    }
  }

  /** As {@link org.plex86.hal.api.PacketQueue#completeTogether}. */
  public void completeTogether(List<Packet> packets, long[] written) {
    boolean any = false;
    for (int i = 0; i < packets.size(); i++) {
      any |= put(packets.get(i), written[i]);
    }
    if (any) {
      rings.publishUsed(usedIndex);
    }
  }

  /** Puts a packet into the used ring, which the guest sees later; false if it is void. */
  private boolean put(Packet packet, long written) {
    GuestPacket held = own(packet);
    if (written < 0 || written > held.writableBytes()) {
      throw new IllegalArgumentException(
          "written=" + written + ", writableBytes=" + held.writableBytes());
    }
    if (held.isCompleted()) {
      throw new IllegalStateException("the packet was completed before: " + held);
    }
    DescriptorChain chain = held.chain();
    if (closed || chain == null) {
      return false;
    }
    // the field has 32 bits; only a chain of 2^32 bytes written in full does not fit
    rings.putUsed(usedIndex, chain.head(), (int) Math.min(written, 0xffffffffL));
    usedIndex = (usedIndex + 1) & 0xffff;
    held.markCompleted();
    inFlight.complete(chain);
    unsignalled++;
    completedCount++;
    return true;
  }

  /** As {@link org.plex86.hal.api.PacketQueue#unpoll}; does nothing for a void packet. */
  public void unpoll(Packet packet) {
    GuestPacket held = own(packet);
    DescriptorChain chain = held.chain();
    if (chain == null && !held.isCompleted()) {
      return;
    }
    if (chain == null || !inFlight.isLastTaken(chain)) {
      throw new IllegalStateException("not the packet that was polled last: " + held);
    }
    held.markVoid();
    inFlight.putBack(chain);
    takenCount--;
  }

  private GuestPacket own(Packet packet) {
    // one that is void may be of a queue of before a reset
    if (packet instanceof GuestPacket held && (held.queue() == this || held.chain() == null)) {
      return held;
    }
    throw new IllegalArgumentException("not a packet of this queue: " + packet);
  }

  /** As {@link org.plex86.hal.api.PacketQueue#flush}. */
  public void flush() {
    int added = unsignalled;
    if (added == 0 || closed) {
      return;
    }
    unsignalled = 0;
    // the guest's side: write used_event, fence, read used.idx; so one of us sees the other
    VarHandle.fullFence();
    boolean wanted =
        eventIndex
            ? added > 0xffff || EventIndex.passed(rings.usedEvent(), usedIndex - added, usedIndex)
            : (rings.availableFlags() & SplitRings.NO_INTERRUPT) == 0;
    if (wanted) {
      owner.interrupt();
    }
  }

  /**
   * To be called when the driver has had its turn: flushes, and sees to it that a queue that the
   * driver left empty without having looked is kicked for.
   *
   * @return whether the guest has added a packet that no kick will come for
   */
  public boolean settle() {
    flush();
    if (closed || armed || inFlight.hasWaiting() || nextAvailable != availableSeen) {
      return false;
    }
    availableSeen = rings.availableIndex();
    // what came during the driver's turn was not seen by it, so it may count on a kick for it
    return availableSeen != nextAvailable || ringHasMore();
  }

  /** Takes all packets back from the driver, for the next one. Returns how many there were. */
  public int takeBack() {
    return inFlight.takeBack();
  }

  /** Voids all packets. To be called on the queue's thread, after {@link #close}. */
  public void discard() {
    inFlight.clear();
  }

  /** Ends the queue: nothing is taken, completed or interrupted any more. Any thread. */
  public void close() {
    closed = true;
  }

  /** Whether the queue has ended, by {@link #close} or because the guest broke its rules. */
  public boolean isClosed() {
    return closed;
  }

  /** How many packets the driver holds. */
  public int inFlight() {
    return inFlight.taken();
  }

  /** Packets taken by drivers, replays counted. For people: other threads may see an old value. */
  public long takenCount() {
    return takenCount;
  }

  /** Packets completed. For people: other threads may see an old value. */
  public long completedCount() {
    return completedCount;
  }
}
