// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.IntSupplier;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;

/** A card whose guest is a test: frames come to a listener on the slot's thread. */
final class FakePort implements Port, AutoCloseable {
  static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

  private final ScheduledExecutorService slot =
      Executors.newSingleThreadScheduledExecutor(r -> new Thread(r, "test-slot"));
  private final AtomicReference<Throwable> crash = new AtomicReference<>();
  private BiConsumer<byte[], Offload> listener = (frame, offload) -> {};
  private IntSupplier rooms = () -> Integer.MAX_VALUE;
  private boolean offloads = true;

  void onFrame(BiConsumer<byte[], Offload> to) {
    listener = to;
  }

  /** The guest's free buffers, asked for each frame. */
  void rooms(IntSupplier free) {
    rooms = free;
  }

  void offloads(boolean on) {
    offloads = on;
  }

  /** Runs on the slot's thread and waits for it. */
  <T> T call(Callable<T> task) {
    try {
      return slot.submit(task).get(60, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e.getMessage(), e);
    }
  }

  void later(Runnable task, long ms) {
    if (!slot.isShutdown()) {
      var unused = slot.schedule(() -> guarded(task), ms, TimeUnit.MILLISECONDS);
    }
  }

  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) { // as the slot does: a crash of the driver
      crash.compareAndSet(null, e);
      e.printStackTrace();
    }
  }

  Throwable crash() {
    return crash.get();
  }

  @Override
  public Room room(int size) {
    if (size < 14 || size > largestFrame()) {
      throw new AssertionError("room for " + size);
    }
    if (rooms.getAsInt() <= 0) {
      return null;
    }
    byte[] frame = new byte[size];
    List<ByteBuffer> buffers = new ArrayList<>();
    for (int from = 0; from < size; from += 4096 + 33) {
      buffers.add(ByteBuffer.wrap(frame, from, Math.min(4096 + 33, size - from)).slice());
    }
    return new Room() {
      @Override
      public List<ByteBuffer> buffers() {
        return buffers;
      }

      @Override
      public void deliver(int length, Offload offload) {
        byte[] whole = length == size ? frame : java.util.Arrays.copyOf(frame, length);
        // Never from within the backend, as a guest is another processor.
        execute(() -> listener.accept(whole, offload));
      }

      @Override
      public void cancel() {}
    };
  }

  @Override
  public int largestFrame() {
    return offloads ? 65_550 : 1514;
  }

  @Override
  public boolean takesPartialChecksums() {
    return offloads;
  }

  @Override
  public boolean takes(Offload.Segmentation segmentation) {
    return offloads && segmentation != Offload.Segmentation.UDP;
  }

  @Override
  public byte[] mac() {
    return MAC.clone();
  }

  @Override
  public void flush() {}

  @Override
  public void resumeSending() {}

  @Override
  public void setLinkUp(boolean up) {}

  @Override
  public void execute(Runnable task) {
    if (!slot.isShutdown()) {
      slot.execute(() -> guarded(task));
    }
  }

  @Override
  public void reportError(String message, Throwable cause) {}

  @Override
  public void close() {
    slot.shutdownNow();
  }
}
