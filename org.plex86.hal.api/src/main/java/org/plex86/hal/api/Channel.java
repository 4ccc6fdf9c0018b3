// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The driver's side of an open channel: a virtio device without its transport.
 *
 * <p>All methods are called on one thread, that of the channel's slot, one at a time. None may
 * block for long: while one runs, the guest waits for this device. Work of other threads (a reader
 * of a socket, say) is brought in by {@link ChannelContext#execute}.
 *
 * <p>An exception that leaves any of these methods is a crash of the driver: the slot takes back
 * what is in flight and parks until it is bound again; the guest and other channels go on.
 */
@ConsumerType
public interface Channel {
  /** The virtio device ID (section 5), such as 3 for a console; never changes. */
  int deviceId();

  /**
   * The device's feature bits that the driver offers (section 5.x.3), without those of the
   * transport and the queues, which the monitor adds.
   */
  long features();

  /** The greatest size of each queue, a power of two from 1 to 32768 each; 1 to 31 queues. */
  List<Integer> queueSizes();

  /** The device's configuration space (section 5.x.4), little-endian, at most 3840 bytes. */
  byte[] configSpace();

  /**
   * The guest's driver is ready (DRIVER_OK), or, after a change of drivers, was and still is.
   *
   * @param features the bits of {@link #features} that the guest has acknowledged
   */
  void start(long features);

  /**
   * The guest has made packets available on a queue, or buffers for packets to it. The driver takes
   * as many as it can use from {@link ChannelContext#queue}. Who leaves packets in a queue is not
   * told of further ones there: only after {@link PacketQueue#poll} or {@link
   * PacketQueue#hasAvailable} has found the queue empty does the next kick come through.
   */
  void notify(int queue);

  /**
   * The guest wrote to the configuration space. The default ignores it, as most devices have
   * nothing there to write.
   *
   * @param offset in bytes from the start of the configuration space
   * @param value the bytes written, 1, 2 or 4
   */
  default void configWritten(int offset, byte[] value) {}

  /**
   * The guest has reset the device: all packets that were taken are void, the queues are no longer
   * usable until {@link #start}. What the host's side holds (a connection, a file) is kept. Also
   * called before the first {@link #start}, where the guest has reset the device while no driver
   * served it: what was handed over about the guest's side is void then.
   */
  void reset();

  /**
   * Output of the guest before its own driver is up, in a slot that was named as the early console.
   * The default discards it.
   */
  default void earlyOutput(byte[] text) {}

  /**
   * Ends the channel: completes the packets that were taken, as far as that takes no waiting on the
   * guest or a peer, and gives back every resource. Packets that are not completed by then go to
   * the next driver again, in order. Nothing of the context, and no packet, may be used by any
   * thread after this returns.
   */
  void close();

  /**
   * Ends the channel so that the next one of its slot can go on where it is: as {@link #close}, but
   * what the next one needs of the host's side (a file with its lock, a connection, what is known
   * of it) stays open and is returned. Called where another driver, or another version of this one,
   * is to take over or may come later, and after a crash of this channel; at the end of the virtual
   * machine {@link #close} is called instead. If it throws, {@link #close} is called.
   *
   * <p>The next channel finds the map as {@link ChannelContext#inherited}. It may come from another
   * class loader, so all that can be reached from the map must be of classes of the JDK; the slot
   * closes values that are not, and says so. By convention keys begin with the name and version of
   * what they stand for, such as {@code user-net/1/connections}.
   *
   * @return what is handed over; from then on it is the slot's, which closes what is {@link
   *     AutoCloseable} and was not taken by the next channel, or by none until the end of the
   *     virtual machine
   */
  default Map<String, Object> handOver() {
    close();
    return Map.of();
  }
}
