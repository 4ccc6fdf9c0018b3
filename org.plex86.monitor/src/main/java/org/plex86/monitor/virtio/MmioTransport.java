// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The virtio-mmio transport of one device (section 4.2, version 2) and its status machine (section
 * 3.1): answers the guest's register writes and keeps the register page up to date.
 *
 * <p>Threads: {@link #write} is for the thread of the exits; the rest for that of the slot. What
 * both use is guarded by a lock that is held for a few stores only, never around a call to the
 * {@link MmioDevice}, so that neither waits for a driver here.
 */
public final class MmioTransport {
  private static final int INTERRUPT_QUEUE = 1;
  private static final int INTERRUPT_CONFIG = 2;

  private final RegisterPage page;
  private final GuestMemory memory;
  private final InterruptLine line;
  private final MmioDevice device;

  private final Object lock = new Object();

  // all guarded by lock
  private final DevicePins pins = new DevicePins();
  private DeviceProfile profile;
  private QueueRegisters[] registers = {};
  private Virtqueue[] queues = {}; // since DRIVER_OK; null where a queue is not ready
  private int status;
  private int generation;
  private int deviceFeaturesSel;
  private int driverFeaturesSel;
  private int queueSel;
  private long driverFeatures;

  /** A transport without a device, until {@link #bind}. */
  public MmioTransport(
      RegisterPage page, GuestMemory memory, InterruptLine line, MmioDevice device) {
    this.page = page;
    this.memory = memory;
    this.line = line;
    this.device = device;
  }

  /**
   * Makes the device what a driver offers. The first profile fixes the device ID for good, as
   * virtio-mmio has no hotplug; all else is fixed while the guest uses the device (Status is not
   * 0).
   *
   * @param offered was checked
   * @return why the guest cannot go on with it; null if it can, and the profile is in force
   */
  public String bind(DeviceProfile offered) {
    synchronized (lock) {
      String conflict = profile == null ? null : conflict(offered);
      if (conflict != null) {
        return conflict;
      }
      boolean sameConfig = profile != null && Arrays.equals(profile.config(), offered.config());
      profile = offered;
      registers = Arrays.copyOf(registers, offered.queueSizes().size());
      for (int i = 0; i < registers.length; i++) {
        registers[i] = registers[i] == null ? new QueueRegisters() : registers[i];
      }
      if (!sameConfig) {
        storeConfig();
      }
      publish();
      page.set(MmioRegister.DEVICE_ID, profile.deviceId());
      return null;
    }
  }

  /** What {@link #bind} would return. */
  public String conflictWith(DeviceProfile offered) {
    synchronized (lock) {
      return profile == null ? null : conflict(offered);
    }
  }

  private String conflict(DeviceProfile offered) {
    if (status == 0) {
      return pins.conflictOfDevice(profile, offered);
    }
    boolean negotiated = (status & DeviceStatus.FEATURES_OK) != 0;
    long needed = negotiated ? driverFeatures & VirtioFeatures.DEVICE : profile.features();
    int[] sizes = new int[registers.length];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = registers[i].isReady() ? registers[i].size() : profile.queueSizes().get(i);
    }
    return pins.conflict(profile, offered, needed, sizes);
  }

  /**
   * The profile in force, with the configuration space as it is now; null before the first {@link
   * #bind}.
   */
  public DeviceProfile profile() {
    synchronized (lock) {
      return profile;
    }
  }

  /**
   * Replaces the configuration space and tells the guest.
   *
   * @throws IllegalArgumentException its length differs
   */
  public void updateConfig(byte[] config) {
    synchronized (lock) {
      if (config.length != profile.config().length) {
        throw new IllegalArgumentException(
            "config.length=" + config.length + ", before=" + profile.config().length);
      }
      pins.changed(profile.config(), config);
      profile =
          new DeviceProfile(profile.deviceId(), profile.features(), profile.queueSizes(), config);
      storeConfig();
    }
  }

  /**
   * The generation is counted up before and after, as a guest that reads it with no exit may do so
   * in between; a torn read that still goes unseen is mended by the interrupt that follows.
   */
  private void storeConfig() {
    page.set(MmioRegister.CONFIG_GENERATION, ++generation);
    page.setConfig(profile.config());
    page.set(MmioRegister.CONFIG_GENERATION, ++generation);
    if ((status & DeviceStatus.DRIVER_OK) != 0) {
      page.interrupt(INTERRUPT_CONFIG);
      line.raise();
    }
  }

  /**
   * The guest wrote a register. Takes any values; what section 4.2 does not allow has no effect. To
   * be called on the thread of the exits; may wait where {@link MmioDevice} does.
   *
   * @param offset from the start of the register page
   * @param size in bytes
   */
  public void write(int offset, int size, long value) {
    if (offset >= MmioRegister.CONFIG) {
      writeConfig(offset - MmioRegister.CONFIG, size, value);
      return;
    }
    if (size != 4) {
      return; // section 4.2.2.2: registers below the configuration space are accessed as 32 bits
    }
    int word = (int) value;
    switch (offset) {
      case MmioRegister.STATUS -> writeStatus(word & DeviceStatus.ALL);
      case MmioRegister.QUEUE_READY -> writeQueueReady(word);
      case MmioRegister.QUEUE_NOTIFY -> {
        if (word >= 0 && word < DeviceProfile.QUEUES_MAX) {
          device.kicked(word);
        }
      }
      case MmioRegister.INTERRUPT_ACK -> page.acknowledge(word);
      default -> {
        synchronized (lock) {
          writePlain(offset, word);
          publish();
        }
      }
    }
  }

  private void writePlain(int offset, int word) {
    switch (offset) {
      case MmioRegister.DEVICE_FEATURES_SEL -> deviceFeaturesSel = word;
      case MmioRegister.DRIVER_FEATURES_SEL -> driverFeaturesSel = word;
      case MmioRegister.DRIVER_FEATURES -> writeDriverFeatures(word);
      case MmioRegister.QUEUE_SEL -> queueSel = word;
      default -> {
        if (hasSelectedQueue()) {
          registers[queueSel].write(offset, word);
        }
      }
    }
  }

  private void writeDriverFeatures(int word) {
    if ((status & DeviceStatus.FEATURES_OK) != 0) {
      return; // section 3.1.1: not to be changed any more
    }
    if (driverFeaturesSel == 0) {
      driverFeatures = (driverFeatures & ~0xffffffffL) | (word & 0xffffffffL);
    } else if (driverFeaturesSel == 1) {
      driverFeatures = (driverFeatures & 0xffffffffL) | (long) word << 32;
    }
  }

  private void writeConfig(int offset, int size, long value) {
    synchronized (lock) {
      boolean fits = profile != null && offset <= profile.config().length - size;
      if (!fits || (size != 1 && size != 2 && size != 4)) {
        return;
      }
    }
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (value >> (8 * i));
    }
    device.configWritten(offset, bytes);
  }

  private void writeStatus(int bits) {
    if (bits == 0) {
      reset();
      return;
    }
    String misuse = null;
    List<Virtqueue> started = null;
    long features = 0;
    synchronized (lock) {
      if (profile == null) {
        return;
      }
      int added = bits & ~status & ~DeviceStatus.NEEDS_RESET;
      if ((added & DeviceStatus.FEATURES_OK) != 0 && !acceptsFeatures()) {
        added &= ~DeviceStatus.FEATURES_OK; // the guest reads it back (section 3.1.1, step 6)
        misuse = "the guest asked for the features 0x%x of 0x%x".formatted(driverFeatures, offer());
      }
      if ((added & DeviceStatus.FAILED) != 0) {
        misuse = "the guest's driver gave the device up (Status FAILED)";
      }
      status |= added;
      if ((added & DeviceStatus.DRIVER_OK) != 0) {
        if ((status & DeviceStatus.FEATURES_OK) == 0) {
          misuse = "the guest set DRIVER_OK without FEATURES_OK";
          markBroken();
        } else if ((status & DeviceStatus.NEEDS_RESET) == 0) {
          started = startQueues();
          features = driverFeatures & VirtioFeatures.DEVICE;
        }
      }
      publish();
    }
    if (misuse != null) {
      device.misused(misuse);
    }
    if (started != null) {
      device.driverOk(features, started);
    }
  }

  private long offer() {
    return profile.features() | VirtioFeatures.TRANSPORT;
  }

  private boolean acceptsFeatures() {
    return (driverFeatures & ~offer()) == 0
        && VirtioFeatures.has(driverFeatures, VirtioFeatures.VERSION_1);
  }

  private List<Virtqueue> startQueues() {
    queues = new Virtqueue[registers.length];
    for (int i = 0; i < queues.length; i++) {
      if (registers[i].isReady()) {
        queues[i] =
            new Virtqueue(i, registers[i].layout(), driverFeatures, memory, new QueueOwner());
      }
    }
    return Collections.unmodifiableList(new ArrayList<>(Arrays.asList(queues)));
  }

  private void reset() {
    boolean known;
    boolean inUse;
    synchronized (lock) {
      inUse = queues.length != 0;
    }
    if (inUse) {
      device.resetting();
    }
    synchronized (lock) {
      closeQueues();
      inUse = queues.length != 0;
      known = status != 0;
    }
    if (inUse) {
      device.withdraw(true);
    }
    synchronized (lock) {
      queues = new Virtqueue[0];
      status = 0;
      driverFeatures = 0;
      deviceFeaturesSel = 0;
      driverFeaturesSel = 0;
      queueSel = 0;
      Arrays.setAll(registers, i -> new QueueRegisters());
      page.acknowledge(-1);
      publish();
    }
    if (known) {
      device.wasReset();
    }
  }

  private void writeQueueReady(int word) {
    String misuse = null;
    boolean withdrawn = false;
    synchronized (lock) {
      if (!hasSelectedQueue()) {
        return;
      }
      QueueRegisters queue = registers[queueSel];
      if (word == 1 && !queue.isReady()) {
        misuse = makeReady(queue);
      } else if (word == 0 && queue.isReady()) {
        queue.setReady(false);
        withdrawn = queueSel < queues.length && queues[queueSel] != null;
        if (withdrawn) {
          queues[queueSel].close();
        }
      }
      publish();
    }
    if (withdrawn) {
      device.withdraw(false);
    }
    if (misuse != null) {
      device.misused(misuse);
    }
  }

  private String makeReady(QueueRegisters queue) {
    if ((status & DeviceStatus.DRIVER_OK) != 0) {
      markBroken();
      return "the guest made queue %d ready after DRIVER_OK".formatted(queueSel);
    }
    try {
      queue.layout().check(profile.queueSizes().get(queueSel), memory);
      queue.setReady(true);
      return null;
    } catch (RingViolation violation) {
      markBroken();
      return "queue " + queueSel + ": " + violation.getMessage();
    }
  }

  private boolean hasSelectedQueue() {
    return queueSel >= 0 && queueSel < registers.length;
  }

  /** Section 2.1.2: sets DEVICE_NEEDS_RESET, and tells a driver that is up. */
  private void markBroken() {
    closeQueues();
    status |= DeviceStatus.NEEDS_RESET;
    publish();
    if ((status & DeviceStatus.DRIVER_OK) != 0) {
      page.interrupt(INTERRUPT_CONFIG);
      line.raise();
    }
  }

  private void closeQueues() {
    for (Virtqueue queue : queues) {
      if (queue != null) {
        queue.close();
      }
    }
  }

  /** Stores all registers whose value follows from others. */
  private void publish() {
    long offer = profile == null ? 0 : offer();
    page.set(
        MmioRegister.DEVICE_FEATURES,
        deviceFeaturesSel == 0 ? (int) offer : deviceFeaturesSel == 1 ? (int) (offer >>> 32) : 0);
    boolean selected = hasSelectedQueue();
    page.set(MmioRegister.QUEUE_NUM_MAX, selected ? profile.queueSizes().get(queueSel) : 0);
    page.set(MmioRegister.QUEUE_READY, selected && registers[queueSel].isReady() ? 1 : 0);
    page.set(MmioRegister.STATUS, status);
  }

  /** What one generation of queues makes happen; those of before a reset are closed and silent. */
  private final class QueueOwner implements Virtqueue.Owner {
    @Override
    public void violated(int queue, String what) {
      synchronized (lock) {
        markBroken();
      }
      device.misused("queue " + queue + ": " + what);
    }

    @Override
    public void interrupt() {
      page.interrupt(INTERRUPT_QUEUE);
      line.raise();
    }
  }
}
