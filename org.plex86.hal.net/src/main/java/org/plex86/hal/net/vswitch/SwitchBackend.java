// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;

/**
 * A card plugged into a switch. It does what a switch does for the frames of its own guest: learns
 * their source, and puts them into the queues of the ports they are for, which the threads of those
 * ports empty. No lock is held meanwhile.
 *
 * <p>A frame is dropped where the queue of the receiver is full, as by any switch. A change of
 * drivers drops none: the queue stays, and the successor goes on with it.
 */
public final class SwitchBackend implements Backend {
  /** As bridges of Linux do. */
  private static final long AGEING_NANOS = TimeUnit.SECONDS.toNanos(300);

  /** Learning again what is known is a write that other threads feel. */
  private static final long REFRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Addresses behind one port; a guest that makes up more does not push others' out. */
  private static final int MOST_ADDRESSES = 256;

  private static final int BUDGET = 256;

  private final Port port;
  private final SharedPort own;
  private final AtomicBoolean draining = new AtomicBoolean();
  private boolean started;
  private long lastSource = -1;
  private long lastLearnt;

  private SwitchBackend(Port port, SharedPort own) {
    this.port = port;
    this.own = own;
  }

  /**
   * Plugs a card in.
   *
   * @param inherited of the card before, if there was one
   */
  public static Backend open(Port port, String switchName, Map<String, Object> inherited) {
    SharedPort own =
        inherited.remove(SharedPort.KEY) instanceof Object[] parts
            ? new SharedPort(parts)
            : SharedPort.join(switchName);
    SwitchBackend backend = new SwitchBackend(port, own);
    own.wake().set(backend::wake);
    return backend;
  }

  @Override
  public void start() {
    started = true;
    own.up().set(true);
    drain();
  }

  @Override
  public boolean send(List<ByteBuffer> pieces, Offload offload) {
    Frame frame = Frame.copy(pieces, offload, own.spare());
    long now = System.nanoTime();
    learn(frame.source(), now);
    long destination = frame.destination();
    if (Frame.isGroup(destination)) {
      flood(frame);
      return true;
    }
    for (WeakReference<Object[]> reference : own.ports()) {
      Object[] parts = reference.get();
      if (parts != null && knows(new SharedPort(parts), destination, now)) {
        if (parts == own.parts()) {
          frame.recycle();
        } else {
          new SharedPort(parts).offer(frame);
        }
        return true;
      }
    }
    flood(frame);
    return true;
  }

  private static boolean knows(SharedPort candidate, long address, long now) {
    Long seen = candidate.addresses().get(address);
    return seen != null && now - seen < AGEING_NANOS;
  }

  private void flood(Frame frame) {
    Frame shared = frame.shared();
    for (WeakReference<Object[]> reference : own.ports()) {
      Object[] parts = reference.get();
      if (parts != null && parts != own.parts()) {
        new SharedPort(parts).offer(shared);
      }
    }
  }

  private void learn(long source, long now) {
    if (Frame.isGroup(source) || (source == lastSource && now - lastLearnt < REFRESH_NANOS)) {
      return;
    }
    lastSource = source;
    lastLearnt = now;
    Map<Long, Long> addresses = own.addresses();
    if (addresses.size() >= MOST_ADDRESSES && !addresses.containsKey(source)) {
      addresses.values().removeIf(seen -> now - seen >= AGEING_NANOS);
      if (addresses.size() >= MOST_ADDRESSES) {
        return;
      }
    }
    addresses.put(source, now);
    // whoever has moved is no longer where it was
    for (WeakReference<Object[]> reference : own.ports()) {
      Object[] parts = reference.get();
      if (parts != null && parts != own.parts()) {
        new SharedPort(parts).addresses().remove(source);
      }
    }
  }

  /** Any thread. */
  private void wake() {
    if (draining.compareAndSet(false, true)) {
      port.execute(this::drain);
    }
  }

  @Override
  public void roomAgain() {
    drain();
  }

  private void drain() {
    draining.set(false);
    if (!started) {
      return;
    }
    int count = 0;
    for (Object[] parts; count < BUDGET && (parts = own.frames().peekFirst()) != null; count++) {
      Frame frame = Frame.of(parts);
      if (takes(frame)) {
        if (!deliver(frame)) {
          break;
        }
        own.frames().pollFirst();
      } else {
        own.frames().pollFirst();
        prepare(frame);
      }
      own.queued().addAndGet(-frame.cost());
      frame.recycle();
    }
    if (count > 0) {
      port.flush();
    }
    if (count == BUDGET) {
      wake();
    }
  }

  private boolean takes(Frame frame) {
    Offload offload = frame.offload();
    return port.takes(offload.segmentation())
        && (!offload.needsChecksum() || port.takesPartialChecksums());
  }

  /** Puts what the guest can take at the head of the queue, in place of a frame that it cannot. */
  private void prepare(Frame frame) {
    List<Frame> split = Segmenter.split(frame);
    for (int i = split.size() - 1; i >= 0; i--) {
      own.queued().addAndGet(split.get(i).cost());
      own.frames().addFirst(split.get(i).parts());
    }
  }

  /** Gives a frame to the guest, or drops it; false if there is no room. */
  private boolean deliver(Frame frame) {
    if (frame.length() > port.largestFrame()) {
      own.dropped().incrementAndGet();
      return true;
    }
    Port.Room room = port.room(frame.length());
    if (room == null) {
      return false;
    }
    int at = 0;
    for (ByteBuffer buffer : room.buffers()) {
      int count = Math.min(buffer.remaining(), frame.length() - at);
      buffer.put(buffer.position(), frame.data(), at, count);
      at += count;
    }
    room.deliver(frame.length(), frame.offload());
    return true;
  }

  @Override
  public void stop() {
    started = false;
    own.up().set(false);
    for (Object[] parts; (parts = own.frames().pollFirst()) != null; ) {
      Frame frame = Frame.of(parts);
      own.queued().addAndGet(-frame.cost());
      frame.recycle();
    }
  }

  @Override
  public Map<String, Object> handOver() {
    started = false;
    own.wake().set(null);
    Map<String, Object> state = new HashMap<>();
    state.put(SharedPort.KEY, own.parts());
    return state;
  }

  @Override
  public void close() {
    started = false;
    own.leave();
  }
}
