// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.endpoint.Endpoint;
import org.plex86.hal.console.exec.ExecPort;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * A virtio console: port 0 is the guest's hvc0; with a command to run there is port 1 for it.
 *
 * <p>Without a command the device offers no VIRTIO_CONSOLE_F_MULTIPORT: then Linux has its console
 * as soon as the driver has probed the device, and not some messages on the control queues later,
 * by which time init may have found no console to open.
 */
public final class ConsoleChannel implements Channel {
  /** Opens the port of a command. */
  public interface ExecOpener {
    /** Opens the port; it starts its threads. */
    ExecPort open(ExecPort.Host host) throws HalException;
  }

  static final int DEVICE_ID = 3;
  static final long F_SIZE = 1;
  static final long F_MULTIPORT = 1 << 1;

  static final int CONSOLE_IN = 0;
  static final int CONSOLE_OUT = 1;
  static final int CONTROL_IN = 2;
  static final int CONTROL_OUT = 3;
  static final int EXEC_IN = 4;
  static final int EXEC_OUT = 5;

  private static final int QUEUES = 6;
  private static final int EXEC = 1;

  /** Linux gives each buffer of a receive queue a page: no more of them than are of use. */
  private static final int IN_SIZE = 32;

  private static final int OUT_SIZE = 64;
  private static final int CONFIG_BYTES = 12;

  /** The slot allows about 5 s for the whole of {@link #close}. */
  private static final long CLOSE_STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(1500);

  private static final long CLOSE_TOTAL_NANOS = TimeUnit.MILLISECONDS.toNanos(3500);
  private static final long EARLY_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final ChannelContext context;
  private final Endpoint endpoint;
  private final boolean showEarly;
  private final ConsoleTail tail;
  private final ExecPort exec;
  private final ControlPlane control;
  private final TransmitQueue consoleOut = new TransmitQueue();
  private final TransmitQueue execOut = new TransmitQueue();
  private final LineEnds lineEnds = new LineEnds();
  private final AtomicIntegerArray queued = new AtomicIntegerArray(QUEUES);
  private boolean started;
  private boolean multiport;
  private boolean execOpen;
  private boolean sizeSeen;

  /**
   * Opens the endpoint, and with it the channel.
   *
   * @param exec opens the port of a command to run in the guest; null: there is none
   * @param showEarly whether output before the guest's own driver is up goes to the endpoint
   * @throws HalException the endpoint cannot be had
   */
  public ConsoleChannel(
      ChannelContext context,
      Endpoint endpoint,
      ExecOpener exec,
      boolean showEarly,
      ConsoleTail tail)
      throws HalException {
    this.context = context;
    this.endpoint = endpoint;
    this.showEarly = showEarly;
    this.tail = tail;
    this.control = new ControlPlane(ExecPort.NAME, this::portOpened);
    this.exec = exec == null ? null : exec.open(new ExecEvents(context, this));
    Saved saved = Saved.in(context.inherited());
    try {
      endpoint.open(new ConsoleEvents(context, this), saved.part("endpoint"));
    } catch (HalException e) {
      if (this.exec != null) {
        this.exec.close();
      }
      throw e;
    }
    resume(saved);
    control.resize(endpoint.size());
  }

  /** Goes on where another console of this channel was, if there was one. */
  private void resume(Saved saved) {
    tail.append(ByteBuffer.wrap(saved.takeBytes("tail")));
    lineEnds.resume((byte) saved.takeNumber("line-end", 0));
    consoleOut.resume(saved.part("out"));
    execOut.resume(saved.part("exec-out"));
    control.resume(saved.part("control"));
    execOpen = saved.takeFlag("exec-open");
    sizeSeen = saved.takeFlag("size-seen");
    if (exec != null && exec.resume(saved.part("exec"))) {
      control.hangUp(EXEC); // the last one may not have come to it
    }
  }

  @Override
  public Map<String, Object> handOver() {
    Map<String, Object> entries = new HashMap<>();
    Saved saved = Saved.in(entries);
    endpoint.handOver(saved.part("endpoint"));
    if (exec != null) {
      exec.handOver(saved.part("exec"));
    }
    saved.put("tail", tail.bytes());
    saved.put("line-end", (long) lineEnds.last());
    consoleOut.save(saved.part("out"));
    execOut.save(saved.part("exec-out"));
    control.save(saved.part("control"));
    saved.put("exec-open", execOpen);
    saved.put("size-seen", sizeSeen);
    return entries;
  }

  @Override
  public int deviceId() {
    return DEVICE_ID;
  }

  @Override
  public long features() {
    return exec == null ? F_SIZE : F_SIZE | F_MULTIPORT;
  }

  @Override
  public List<Integer> queueSizes() {
    return exec == null
        ? List.of(IN_SIZE, OUT_SIZE)
        : List.of(IN_SIZE, OUT_SIZE, IN_SIZE, IN_SIZE, IN_SIZE, OUT_SIZE);
  }

  /** Section 5.3.4: columns and rows (16 bits each), the greatest number of ports (32 bits). */
  @Override
  public byte[] configSpace() {
    WindowSize size = endpoint.size();
    return ByteBuffer.allocate(CONFIG_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort((short) size.columns())
        .putShort((short) size.rows())
        .putInt(exec == null ? 1 : 2)
        .array();
  }

  @Override
  public void start(long features) {
    started = true;
    multiport = (features & F_MULTIPORT) != 0;
    tellSize();
    pump(CONSOLE_OUT);
    pump(CONSOLE_IN);
    if (multiport) {
      pump(CONTROL_OUT);
    }
  }

  @Override
  public void notify(int queue) {
    if (started) {
      if (!multiport && !sizeSeen && queue <= CONSOLE_OUT) {
        // Linux reads the size of a console without control queues only when told of a change, and
        // passes over it as long as it has not added the port (config_work_handler of its driver).
        sizeSeen = queue == CONSOLE_OUT;
        tellSize();
      }
      pump(queue);
    }
  }

  @Override
  public void reset() {
    started = false;
    multiport = false;
    execOpen = false;
    sizeSeen = false;
    consoleOut.reset();
    execOut.reset();
    control.reset();
  }

  @Override
  public void earlyOutput(byte[] text) {
    tail.append(ByteBuffer.wrap(text));
    if (!showEarly) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(endpoint.isRaw() ? lineEnds.of(text) : text);
    endpoint.write(bytes);
    if (bytes.hasRemaining()) {
      try {
        endpoint.flush(EARLY_WAIT_NANOS, EARLY_WAIT_NANOS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      endpoint.write(bytes);
    }
  }

  /** Shows what the guest has sent so far, as far as the receivers take it in time. */
  @Override
  public void close() {
    try {
      long end = System.nanoTime() + CLOSE_TOTAL_NANOS;
      boolean blocked;
      do {
        if (started) {
          pump(CONSOLE_OUT);
          pump(EXEC_OUT);
        }
        blocked = consoleOut.isBlocked() || execOut.isBlocked();
        long left = end - System.nanoTime();
        endpoint.flush(CLOSE_STALL_NANOS, left);
        if (exec != null) {
          exec.flush(CLOSE_STALL_NANOS, end - System.nanoTime());
        }
      } while (blocked && System.nanoTime() < end);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (exec != null) {
        exec.close();
      }
      endpoint.close();
    }
  }

  private void pump(int queue) {
    boolean more =
        switch (queue) {
          case CONSOLE_IN -> ReceiveQueue.pump(context.queue(CONSOLE_IN), new ConsoleInput());
          case CONSOLE_OUT -> consoleOut.pump(context.queue(CONSOLE_OUT), this::show);
          case CONTROL_IN, CONTROL_OUT -> multiport && pumpControl();
          case EXEC_IN -> execOpen && ReceiveQueue.pump(context.queue(EXEC_IN), new ExecInput());
          case EXEC_OUT ->
              exec != null && multiport && execOut.pump(context.queue(EXEC_OUT), exec::accept);
          default -> false;
        };
    if (more) {
      // Later, so that the other queues and tasks have their turn.
      pumpSoon(queue);
    }
  }

  private void pumpIfStarted(int queue) {
    if (started) {
      pump(queue);
    }
  }

  private boolean pumpControl() {
    boolean more = control.receive(context.queue(CONTROL_OUT));
    control.send(context.queue(CONTROL_IN));
    return more;
  }

  private void portOpened(int port, boolean open) {
    if (port == EXEC) {
      execOpen = open;
      pump(EXEC_IN);
    }
  }

  private void show(ByteBuffer bytes) {
    int start = bytes.position();
    endpoint.write(bytes);
    tail.append(bytes.slice(start, bytes.position() - start));
  }

  /** The command is done with: the guest's agent waits for this before it powers off. */
  void hangUpExec() {
    control.hangUp(EXEC);
    if (started && multiport) {
      control.send(context.queue(CONTROL_IN));
    }
  }

  private void tellSize() {
    context.updateConfigSpace(configSpace());
  }

  /** The window has another size. */
  void resize(WindowSize size) {
    control.resize(size);
    tellSize();
    if (started && multiport) {
      control.send(context.queue(CONTROL_IN));
    }
  }

  /**
   * Has a queue served on the slot's thread, once for any number of calls until then. Any thread.
   */
  void pumpSoon(int queue) {
    if (queued.compareAndSet(queue, 0, 1)) {
      context.execute(
          () -> {
            queued.set(queue, 0);
            pumpIfStarted(queue);
          });
    }
  }

  private final class ConsoleInput implements ReceiveQueue.Source {
    @Override
    public boolean hasBytes() {
      return endpoint.available() > 0;
    }

    @Override
    public void read(ByteBuffer into) {
      endpoint.read(into);
    }
  }

  private final class ExecInput implements ReceiveQueue.Source {
    @Override
    public boolean hasBytes() {
      return exec.hasBytes();
    }

    @Override
    public void read(ByteBuffer into) {
      exec.read(into);
    }
  }
}
