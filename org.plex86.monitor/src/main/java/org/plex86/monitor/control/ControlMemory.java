// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

import static org.plex86.monitor.control.ControlLayout.*;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Mapping;

/**
 * The memory that the monitor shares with the nexus, see control.h. Any thread, but for what says
 * otherwise.
 *
 * <p>The guest can write all of it. So what is read is bounded here, once, before anybody uses it,
 * and nothing that matters to other machines or the host depends on it.
 */
public final class ControlMemory {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int EXIT = CONTROL_BLOCK + Control.EXIT;
  private static final int END = CONTROL_BLOCK + Control.END;
  private static final int BELL = CONTROL_BLOCK + Control.BELL;

  private final Mapping mapping;
  private final ByteBuffer memory;

  /** Maps a descriptor of {@link ControlLayout#CONTROL_SIZE} bytes. */
  public ControlMemory(Fd fd) throws IOException {
    mapping = new Mapping(fd, CONTROL_SIZE);
    memory = mapping.window(0);
  }

  /**
   * Writes what the supervisor needs at its start.
   *
   * @param ramPages guest memory in pages of 4096 bytes
   * @param spin turns that a process spins for a hand-off before it sleeps
   * @param isolation {@link ControlLayout#ISOLATION_SHARED} or {@link
   *     ControlLayout#ISOLATION_STRICT}
   */
  public void initialise(int ramPages, int spaces, int devices, int spin, int isolation) {
    block(Control.MAGIC, CONTROL_MAGIC);
    block(Control.VERSION, CONTROL_VERSION);
    block(Control.RAM_PAGES, ramPages);
    block(Control.SPACES, spaces);
    block(Control.DEVICES, devices);
    block(Control.SPIN, spin);
    block(Control.ISOLATION, isolation);
    memory.putInt(CONTROL_DATA_PAGE + PLEX86_ABI, PLEX86_ABI_VERSION);
    memory.putInt(CONTROL_DATA_PAGE + PLEX86_IRQ_MASK, -1);
    byte[] ones = new byte[0x1000];
    Arrays.fill(ones, (byte) -1);
    memory.put(CONTROL_VOID, ones);
  }

  /** The CPUID table of the host's CPU, as the supervisor found it; at most what the area holds. */
  public List<CpuidEntry> hostCpuid() {
    int count = memory.getInt(CONTROL_CPUID_HOST + CpuidTable.COUNT);
    List<CpuidEntry> entries = new ArrayList<>();
    for (int i = 0; i < Math.min(count, CPUID_ENTRIES_MAX); i++) {
      int at = CONTROL_CPUID_HOST + CpuidTable.ENTRY + i * Sizeof.CPUID_ENTRY;
      entries.add(
          new CpuidEntry(
              memory.getInt(at + ControlLayout.CpuidEntry.LEAF),
              memory.getInt(at + ControlLayout.CpuidEntry.SUBLEAF),
              memory.getInt(at + ControlLayout.CpuidEntry.EAX),
              memory.getInt(at + ControlLayout.CpuidEntry.EBX),
              memory.getInt(at + ControlLayout.CpuidEntry.ECX),
              memory.getInt(at + ControlLayout.CpuidEntry.EDX)));
    }
    return entries;
  }

  /** Writes what the guest kernel is told of its CPU; no more entries than the area holds. */
  public void guestCpuid(List<CpuidEntry> entries) {
    if (entries.size() > CPUID_ENTRIES_MAX) {
      throw new IllegalArgumentException(
          entries.size() + " CPUID entries, at most " + CPUID_ENTRIES_MAX);
    }
    int at = CONTROL_CPUID_GUEST + CpuidTable.ENTRY;
    for (CpuidEntry entry : entries) {
      memory.putInt(at + ControlLayout.CpuidEntry.LEAF, entry.leaf());
      memory.putInt(at + ControlLayout.CpuidEntry.SUBLEAF, entry.subleaf());
      memory.putInt(at + ControlLayout.CpuidEntry.EAX, entry.eax());
      memory.putInt(at + ControlLayout.CpuidEntry.EBX, entry.ebx());
      memory.putInt(at + ControlLayout.CpuidEntry.ECX, entry.ecx());
      memory.putInt(at + ControlLayout.CpuidEntry.EDX, entry.edx());
      at += Sizeof.CPUID_ENTRY;
    }
    memory.putInt(CONTROL_CPUID_GUEST + CpuidTable.COUNT, entries.size());
  }

  /** The extended states (XCR0) that the host's kernel has enabled. */
  public long hostXcr0() {
    return memory.getLong(CONTROL_BLOCK + Control.HOST_XCR0);
  }

  /**
   * Starts the guest. Everything that was written before is seen by it.
   *
   * @param entry guest-physical address
   * @param bootParams guest-physical address, esi at the entry
   * @param guestXcr0 the extended states that the guest may enable
   */
  public void go(int entry, int bootParams, long guestXcr0) {
    block(Control.ENTRY, entry);
    block(Control.BOOT_PARAMS, bootParams);
    LONG.set(memory, CONTROL_BLOCK + Control.GUEST_XCR0, guestXcr0);
    INT.setRelease(memory, CONTROL_BLOCK + Control.GO, 1);
    mapping.futexWake(CONTROL_BLOCK + Control.GO);
  }

  // ---- interrupts ----

  /**
   * Makes a line pending.
   *
   * @return whether it was not pending before, so that the guest has to be told
   */
  public boolean setPending(int line) {
    int bit = 1 << line;
    int before = (int) INT.getAndBitwiseOr(memory, CONTROL_DATA_PAGE + PLEX86_IRQ_PENDING, bit);
    return (before & bit) == 0;
  }

  /** Whether the guest halts. */
  public boolean idle() {
    return (int) INT.getVolatile(memory, CONTROL_BLOCK + Control.IDLE) != 0;
  }

  /** Ends the guest's halt. */
  public void wakeIdle() {
    INT.getAndAdd(memory, CONTROL_BLOCK + Control.WAKE, 1);
    mapping.futexWake(CONTROL_BLOCK + Control.WAKE);
  }

  /** The slot of the space that runs, as the nexus says: any number. */
  public int active() {
    return (int) INT.getVolatile(memory, CONTROL_BLOCK + Control.ACTIVE);
  }

  // ---- the bell ----

  /** How often the bell was rung. */
  public int bell() {
    return (int) INT.getVolatile(memory, BELL);
  }

  /** Sleeps until the bell was rung more often than that; may return without reason. One thread. */
  public void awaitBell(int seen) {
    INT.setVolatile(memory, CONTROL_BLOCK + Control.BELL_WAITING, 1);
    // The nexus counts first and looks at the flag then, we the other way round.
    if (bell() == seen) {
      mapping.futexWait(BELL, seen, -1);
    }
    INT.setRelease(memory, CONTROL_BLOCK + Control.BELL_WAITING, 0);
  }

  /** Rings the bell from the monitor's side. */
  public void ringBell() {
    INT.getAndAdd(memory, BELL, 1);
    mapping.futexWake(BELL);
  }

  // ---- exits ----

  /** The exit that the nexus waits in, or null. The one thread that answers. */
  public Exit exit() {
    if ((int) INT.getAcquire(memory, EXIT + ExitRecord.STATE) != EXIT_REQUEST) {
      return null;
    }
    return new Exit(
        memory.getInt(EXIT + ExitRecord.KIND),
        memory.getInt(EXIT + ExitRecord.DEVICE),
        memory.getInt(EXIT + ExitRecord.OFFSET),
        memory.getInt(EXIT + ExitRecord.SIZE),
        memory.getLong(EXIT + ExitRecord.VALUE));
  }

  /** Answers the exit, and lets the guest go on. */
  public void answer(long value, boolean fault) {
    memory.putLong(EXIT + ExitRecord.VALUE, value);
    memory.putInt(EXIT + ExitRecord.FAULT, fault ? 1 : 0);
    INT.setRelease(memory, EXIT + ExitRecord.STATE, EXIT_DONE);
    mapping.futexWake(EXIT + ExitRecord.STATE);
  }

  // ---- end ----

  /** The reason of the end, {@link ControlLayout#END_NONE} while there is none. */
  public int endReason() {
    return (int) INT.getAcquire(memory, END + EndRecord.REASON);
  }

  /** The text of the end as one line of printable ASCII. */
  public String endText() {
    int length = memory.getInt(END + EndRecord.LENGTH);
    byte[] text = new byte[Math.max(0, Math.min(length, Sizeof.END_TEXT))];
    memory.get(END + EndRecord.TEXT, text);
    for (int i = 0; i < text.length; i++) {
      if (text[i] < ' ' || text[i] > '~') {
        text[i] = ' ';
      }
    }
    return new String(text, StandardCharsets.US_ASCII).strip();
  }

  // ---- early console ----

  /** Bytes ever written to the ring of early console output, modulo 2^32. */
  public int logHead() {
    return (int) INT.getAcquire(memory, CONTROL_BLOCK + Control.LOG_HEAD);
  }

  /**
   * Early console output from one count to another; only the last {@link
   * ControlLayout#CONTROL_LOG_SIZE} bytes of it if it is more.
   */
  public byte[] log(int from, int to) {
    int length =
        Integer.compareUnsigned(to - from, CONTROL_LOG_SIZE) > 0 ? CONTROL_LOG_SIZE : to - from;
    byte[] text = new byte[length];
    int at = (to - length) & (CONTROL_LOG_SIZE - 1);
    int first = Math.min(length, CONTROL_LOG_SIZE - at);
    memory.get(CONTROL_LOG + at, text, 0, first);
    memory.get(CONTROL_LOG, text, first, length - first);
    return text;
  }

  // ---- devices ----

  /**
   * The register page of a virtio-mmio device, which the guest sees read-only: 4096 bytes,
   * little-endian, position 0, a fresh view.
   */
  public ByteBuffer registers(int device) {
    checkDevice(device);
    return memory.slice(CONTROL_DEVICES + device * 0x1000, 0x1000).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Takes the bits of a device's doorbell, which clears them; waits while there are none. One
   * thread a device.
   *
   * @param nanos how long to wait at most; 0: not at all; negative: without end
   * @return a bit for each queue that was kicked, or what {@link #ringDoorbell} set: any bits; 0
   *     when the time is over, or when it was woken and the guest has cleared the bits
   */
  public int awaitDoorbell(int device, long nanos) {
    int at = doorbell(device);
    // Read first: who looks again and again must not take the line from the guest's CPU each time.
    boolean rung = (int) INT.getVolatile(memory, at + Doorbell.BITS) != 0;
    int bits = rung ? (int) INT.getAndSet(memory, at + Doorbell.BITS, 0) : 0;
    if (bits != 0 || nanos == 0) {
      return bits;
    }
    long end = System.nanoTime() + nanos;
    INT.setVolatile(memory, at + Doorbell.WAITING, 1);
    // The nexus sets a bit first and looks at the flag then, we the other way round.
    while ((bits = (int) INT.getAndSet(memory, at + Doorbell.BITS, 0)) == 0) {
      long left = nanos < 0 ? -1 : end - System.nanoTime();
      if (nanos > 0 && left <= 0) {
        break;
      }
      if (mapping.futexWait(at + Doorbell.BITS, 0, left)) {
        bits = (int) INT.getAndSet(memory, at + Doorbell.BITS, 0);
        break; // it is the caller's to find out what for, whatever the guest has made of the bits
      }
    }
    INT.setRelease(memory, at + Doorbell.WAITING, 0);
    return bits;
  }

  /**
   * Sets bits of a device's doorbell from the monitor's side, and wakes who waits: whether one does
   * is for the caller to know, as the guest can write what the doorbell says of it.
   */
  public void ringDoorbell(int device, int bits) {
    int at = doorbell(device);
    INT.getAndBitwiseOr(memory, at + Doorbell.BITS, bits);
    mapping.futexWake(at + Doorbell.BITS);
  }

  // ---- counters ----

  /** The counters by name, and {@code boot_us}. */
  public Map<String, Long> counters() {
    Map<String, Long> values = new LinkedHashMap<>();
    values.put("boot_us", bootMicros());
    for (int i = 0; i < COUNTERS.size(); i++) {
      long value = (long) LONG.getOpaque(memory, CONTROL_BLOCK + Control.COUNTER + i * 8);
      values.put(COUNTERS.get(i), value);
    }
    return values;
  }

  private long bootMicros() {
    long start = memory.getLong(CONTROL_BLOCK + Control.START_TSC);
    long user = memory.getLong(CONTROL_BLOCK + Control.FIRST_USER_TSC);
    long khz = Integer.toUnsignedLong(memory.getInt(CONTROL_BLOCK + Control.TSC_KHZ));
    long elapsed = user - start;
    // A day at most: anything else is a guest's joke. In two steps: a thousand days of the fastest
    // clock that the field can tell are more than 63 bits of ticks.
    return elapsed <= 0 || khz == 0 || elapsed > khz * 86_400_000L
        ? 0
        : elapsed / khz * 1000 + elapsed % khz * 1000 / khz;
  }

  private void block(int offset, int value) {
    INT.set(memory, CONTROL_BLOCK + offset, value);
  }

  private static int doorbell(int device) {
    checkDevice(device);
    return CONTROL_BLOCK + Control.DOORBELL + device * Sizeof.DOORBELL;
  }

  private static void checkDevice(int device) {
    if (device < 0 || device >= PLEX86_MMIO_DEVICES) {
      throw new IndexOutOfBoundsException("device " + device);
    }
  }
}
