// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.PacketQueue;
import org.plex86.monitor.virtio.DeviceProfile;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * One driver's time at a slot: the context that its channel was opened with. Once closed it is dead
 * for good, so a driver that goes on using it harms nobody.
 */
final class Binding implements ChannelContext {
  private final SlotMachine machine;
  private final BoundQueue[] queues = new BoundQueue[DeviceProfile.QUEUES_MAX];
  private final Blame blame = new Blame();
  private volatile DriverStack stack; // volatile: others ask whose it is
  private Channel channel;
  private StackOpener opener;
  private DeviceProfile profile;
  private int queueCount = DeviceProfile.QUEUES_MAX; // until the channel has said
  private Map<String, Object> inherited; // while the driver opens the channel
  private boolean held;
  private boolean inForce;
  private volatile boolean closed;

  Binding(SlotMachine machine, DriverStack stack) {
    this.machine = machine;
    this.stack = stack;
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new BoundQueue(this, i);
    }
  }

  /**
   * Opens the channel and asks it for what it offers. Inside of a guarded callback.
   *
   * @param offered what the driver finds as {@link #inherited}
   * @throws HalException the driver refuses, or offers what no device can be
   */
  void open(ChannelSpec spec, Map<String, Object> offered) throws HalException {
    inherited = offered;
    opener = new StackOpener(stack, blame);
    try {
      channel = opener.open(this, spec);
    } finally {
      inherited = null;
      if (channel == null && !opener.opened().isEmpty()) {
        // an interposer has failed; what it has opened must be ended
        channel = opener.opened().get(opener.opened().size() - 1);
      }
    }
    profile = profileOf(channel);
    profile.check();
    queueCount = profile.queueSizes().size();
  }

  private static DeviceProfile profileOf(Channel channel) {
    return new DeviceProfile(
        channel.deviceId(),
        channel.features(),
        List.copyOf(channel.queueSizes()),
        channel.configSpace());
  }

  /**
   * Which service of the stack is to blame for a profile that cannot be: the lowest with one.
   * Inside of a guarded callback.
   */
  HalService refused(Predicate<DeviceProfile> cannotBe) {
    for (LayerChannel layer : opener.opened()) {
      if (cannotBe.test(profileOf(layer))) {
        return layer.service();
      }
    }
    return stack.driver();
  }

  /** In whose code an exception arose. */
  HalService culprit(Throwable thrown) {
    return blame.of(thrown, stack.driver());
  }

  /** In whose code the slot's thread is, after it was left behind there. */
  HalService hung() {
    return blame.running(stack.driver());
  }

  /** What the driver offered; null before it was opened. */
  DeviceProfile profile() {
    return profile;
  }

  DriverStack stack() {
    return stack;
  }

  /** The same services with other properties. */
  void adopt(DriverStack updated) {
    stack = updated;
  }

  /** The channel; null if it was not opened. */
  Channel channel() {
    return channel;
  }

  /** The guest's device is now this driver's. */
  void markInForce() {
    inForce = true;
  }

  /** From now on, or no more, the driver gets no new packets. */
  void hold(boolean hold) {
    held = hold;
  }

  boolean isHeld() {
    return held;
  }

  void markClosed() {
    closed = true;
  }

  /** The queue of a number; null while the guest has none. For the slot's thread only. */
  Virtqueue virtqueue(int number) {
    check();
    return machine.virtqueue(number);
  }

  private void check() {
    if (!machine.thread().isCurrent()) {
      throw new IllegalStateException(
          "channel %s is used on the thread '%s': bring the work in by execute()"
              .formatted(machine.name(), Thread.currentThread().getName()));
    }
    if (closed) {
      throw new IllegalStateException(
          "channel %s of %s was closed".formatted(machine.name(), stack.label()));
    }
  }

  @Override
  public String vmName() {
    return machine.host().vmName();
  }

  @Override
  public String channelName() {
    return machine.name();
  }

  @Override
  public PacketQueue queue(int index) {
    if (index < 0 || index >= queueCount) {
      throw new IndexOutOfBoundsException("queue " + index + " of " + queueCount);
    }
    return queues[index];
  }

  @Override
  public void execute(Runnable task) {
    machine.submitTask(this, task);
  }

  @Override
  public void updateConfigSpace(byte[] config) {
    check();
    if (!inForce) {
      throw new IllegalStateException(
          "channel %s is not open yet: configSpace() will be asked for".formatted(machine.name()));
    }
    machine.updateConfig(config);
  }

  @Override
  public void reportResult(int status) {
    if (status < 0 || status > 255) {
      throw new IllegalArgumentException("status=" + status);
    }
    if (!closed) {
      machine.host().reportResult(machine.name(), status);
    }
  }

  @Override
  public void reportError(String message, Throwable cause) {
    machine.report().error(message, cause);
  }

  @Override
  public Map<String, Object> inherited() {
    check();
    if (inherited == null) {
      throw new IllegalStateException(
          "channel %s: what it inherits is there during open() only".formatted(machine.name()));
    }
    return inherited;
  }
}
