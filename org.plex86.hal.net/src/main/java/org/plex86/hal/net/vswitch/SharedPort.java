// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import java.lang.ref.WeakReference;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A port of a switch as the other ports see it. Any thread.
 *
 * <p>Its parts are classes of the JDK alone: while the net bundle is updated, ports of two versions
 * of it, so of two class loaders, are on the same switch. A port that no backend and no slot holds
 * any more goes with the garbage, and the switch with its last port.
 */
final class SharedPort {
  /** Names the form of the parts, in what is handed over and in the system's properties. */
  static final String KEY = "switch/1/port";

  private static final String SWITCHES = "org.plex86.hal.net.switches/1";

  /** Bytes that wait for a receiver, what they cost included: a few frames of 64 KiB. */
  static final long QUEUE_LIMIT = 4 << 20;

  private static final int SWITCH = 0;
  private static final int FRAMES = 1;
  private static final int QUEUED = 2;
  private static final int DROPPED = 3;
  private static final int WAKE = 4;
  private static final int UP = 5;
  private static final int ADDRESSES = 6;
  private static final int SPARE = 7;

  private final Object[] parts;

  /** A port by its parts, in the order of the constants; another order needs other keys. */
  SharedPort(Object[] parts) {
    this.parts = parts;
  }

  /** What holds the port. */
  Object[] parts() {
    return parts;
  }

  /** A new port of a switch, which comes to be with its first port. */
  static SharedPort join(String switchName) {
    List<WeakReference<Object[]>> ports = switchOf(switchName);
    SharedPort port =
        new SharedPort(
            new Object[] {
              ports,
              new ConcurrentLinkedDeque<Object[]>(),
              new AtomicLong(),
              new AtomicLong(),
              new AtomicReference<Runnable>(),
              new AtomicBoolean(),
              new ConcurrentHashMap<Long, Long>(),
              new ConcurrentLinkedQueue<byte[]>()
            });
    ports.removeIf(other -> other.get() == null);
    ports.add(new WeakReference<>(port.parts));
    return port;
  }

  @SuppressWarnings("unchecked") // the key is this class's, and stands for these types
  private static List<WeakReference<Object[]>> switchOf(String name) {
    // The one place that all class loaders of a JVM share; no bundle may be asked, as it may go.
    Map<String, WeakReference<List<WeakReference<Object[]>>>> switches =
        (Map<String, WeakReference<List<WeakReference<Object[]>>>>)
            System.getProperties().computeIfAbsent(SWITCHES, key -> new ConcurrentHashMap<>());
    List<List<WeakReference<Object[]>>> found = new CopyOnWriteArrayList<>();
    switches.compute(
        name,
        (key, known) -> {
          List<WeakReference<Object[]>> ports = known == null ? null : known.get();
          if (ports != null) {
            found.add(ports);
            return known;
          }
          found.add(new CopyOnWriteArrayList<>());
          return new WeakReference<>(found.get(0));
        });
    switches.values().removeIf(known -> known.get() == null);
    return found.get(0);
  }

  void leave() {
    up().set(false);
    ports().removeIf(port -> port.get() == parts || port.get() == null);
    wake().set(null);
  }

  /** Puts a frame into the port's queue, or drops it. */
  void offer(Frame frame) {
    if (!up().get()) {
      frame.recycle();
      return;
    }
    if (queued().addAndGet(frame.cost()) > QUEUE_LIMIT) {
      queued().addAndGet(-frame.cost());
      dropped().incrementAndGet();
      frame.recycle();
      return;
    }
    frames().addLast(frame.parts());
    Runnable wake = wake().get();
    if (wake != null) {
      wake.run();
    }
  }

  /** All ports of the switch, this one among them. */
  @SuppressWarnings("unchecked")
  List<WeakReference<Object[]>> ports() {
    return (List<WeakReference<Object[]>>) parts[SWITCH];
  }

  /** Frames that wait for the guest, {@link Frame#parts}; only the port itself takes any. */
  @SuppressWarnings("unchecked")
  Deque<Object[]> frames() {
    return (Deque<Object[]>) parts[FRAMES];
  }

  /** The cost of the frames that wait. */
  AtomicLong queued() {
    return (AtomicLong) parts[QUEUED];
  }

  AtomicLong dropped() {
    return (AtomicLong) parts[DROPPED];
  }

  /** To be run when there is a frame; null while nobody serves the port. */
  @SuppressWarnings("unchecked")
  AtomicReference<Runnable> wake() {
    return (AtomicReference<Runnable>) parts[WAKE];
  }

  /** Whether the guest's driver is up. */
  AtomicBoolean up() {
    return (AtomicBoolean) parts[UP];
  }

  /** Addresses that were seen behind the port, and when, as System.nanoTime. */
  @SuppressWarnings("unchecked")
  Map<Long, Long> addresses() {
    return (Map<Long, Long>) parts[ADDRESSES];
  }

  /** Large arrays to be used again for frames that this port sends. */
  @SuppressWarnings("unchecked")
  ConcurrentLinkedQueue<byte[]> spare() {
    return (ConcurrentLinkedQueue<byte[]>) parts[SPARE];
  }
}
