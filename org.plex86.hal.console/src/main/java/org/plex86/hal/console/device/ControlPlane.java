// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * The messages on the control queues (section 5.3.6.2), by which both sides agree on ports. Slot's
 * thread.
 *
 * <p>What is to be sent is kept as flags of the ports, not as a list of messages: a guest that
 * repeats its messages, and takes none, makes the host hold no more than that.
 */
final class ControlPlane {
  /** What the guest does with the ports. */
  interface Listener {
    /** The guest's program opened or closed a port. */
    void portOpened(int port, boolean open);
  }

  static final int DEVICE_READY = 0;
  static final int PORT_ADD = 1;
  static final int PORT_READY = 3;
  static final int CONSOLE_PORT = 4;
  static final int RESIZE = 5;
  static final int PORT_OPEN = 6;
  static final int PORT_NAME = 7;

  private static final int HEADER = 8;

  /** Packets in one go: see {@link TransmitQueue}. */
  private static final int BUDGET = 256;

  private static final class Port {
    final int id;

    /** Null for the console. */
    final String name;

    boolean hostOpen = true;
    boolean ready;
    boolean sendAdd;
    boolean sendRole;
    boolean sendOpen;
    boolean sendSize;

    Port(int id, String name) {
      this.id = id;
      this.name = name;
    }
  }

  private final Listener listener;
  private final List<Port> ports;
  private final byte[] message = new byte[HEADER];
  private WindowSize size = WindowSize.UNKNOWN;

  /** Two ports: the console, and one that is known by its name. */
  ControlPlane(String secondPort, Listener listener) {
    this.ports = List.of(new Port(0, null), new Port(1, secondPort));
    this.listener = listener;
  }

  /** Tells the guest the size of the console's window, now or once it knows the console. */
  void resize(WindowSize size) {
    this.size = size;
    ports.get(0).sendSize = ports.get(0).ready;
  }

  /** Tells the guest that the host has closed a port. */
  void hangUp(int port) {
    ports.get(port).hostOpen = false;
    ports.get(port).sendOpen = ports.get(port).ready;
  }

  /** Goes on with what another one has agreed on with the guest. */
  void resume(Saved saved) {
    for (Port port : ports) {
      Saved part = saved.part(Integer.toString(port.id));
      if (part.has("ready")) {
        port.hostOpen = part.takeFlag("host-open");
        port.ready = part.takeFlag("ready");
        port.sendAdd = part.takeFlag("send-add");
        port.sendRole = part.takeFlag("send-role");
        port.sendOpen = part.takeFlag("send-open");
        port.sendSize = part.takeFlag("send-size");
      }
    }
  }

  void save(Saved into) {
    for (Port port : ports) {
      Saved part = into.part(Integer.toString(port.id));
      part.put("host-open", port.hostOpen);
      part.put("ready", port.ready);
      part.put("send-add", port.sendAdd);
      part.put("send-role", port.sendRole);
      part.put("send-open", port.sendOpen);
      part.put("send-size", port.sendSize);
    }
  }

  /** The guest has forgotten everything. */
  void reset() {
    for (Port port : ports) {
      port.ready = false;
      port.sendAdd = false;
      port.sendRole = false;
      port.sendOpen = false;
      port.sendSize = false;
    }
  }

  /**
   * Takes the guest's messages.
   *
   * @return whether there may be more to do
   */
  boolean receive(PacketQueue queue) {
    int count = 0;
    for (Packet packet; count < BUDGET && (packet = queue.poll()) != null; count++) {
      boolean whole = packet.read(0, message, 0, HEADER) == HEADER;
      queue.complete(packet, 0);
      if (whole) {
        handle(ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN));
      }
    }
    if (count > 0) {
      queue.flush();
    }
    return count >= BUDGET;
  }

  /** Sends what there is to tell, as far as the guest provides buffers. */
  void send(PacketQueue queue) {
    int count = 0;
    for (Port port : ports) {
      for (byte[] next; count < BUDGET && (next = next(port)) != null; count++) {
        Packet packet = queue.poll();
        if (packet == null) {
          break;
        }
        // A buffer too small for the message would have the guest take a part of it for the whole.
        boolean fits = packet.writableBytes() >= next.length;
        queue.complete(packet, fits ? packet.write(0, next, 0, next.length) : 0);
        if (fits) {
          sent(port);
        }
      }
    }
    if (count > 0) {
      queue.flush();
    }
  }

  private void handle(ByteBuffer received) {
    long id = Integer.toUnsignedLong(received.getInt(0));
    int event = Short.toUnsignedInt(received.getShort(4));
    boolean value = received.getShort(6) != 0;
    if (event == DEVICE_READY) {
      for (Port port : ports) {
        port.sendAdd = value;
      }
      return;
    }
    if (id >= ports.size()) {
      return;
    }
    Port port = ports.get((int) id);
    if (event == PORT_READY && value) {
      port.ready = true;
      port.sendRole = true;
      port.sendOpen = true;
      port.sendSize = port.name == null;
    } else if (event == PORT_OPEN) {
      listener.portOpened(port.id, value);
    }
  }

  private byte[] next(Port port) {
    if (port.sendAdd) {
      return message(port, PORT_ADD, 1);
    }
    if (port.sendRole) {
      return port.name == null
          ? message(port, CONSOLE_PORT, 1)
          : message(port, PORT_NAME, 1, port.name.getBytes(StandardCharsets.US_ASCII));
    }
    if (port.sendOpen) {
      return message(port, PORT_OPEN, port.hostOpen ? 1 : 0);
    }
    if (port.sendSize) {
      ByteBuffer payload = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      payload.putShort((short) size.columns()).putShort((short) size.rows());
      return message(port, RESIZE, 0, payload.array());
    }
    return null;
  }

  /** In the order of {@link #next}. */
  private static void sent(Port port) {
    if (port.sendAdd) {
      port.sendAdd = false;
    } else if (port.sendRole) {
      port.sendRole = false;
    } else if (port.sendOpen) {
      port.sendOpen = false;
    } else {
      port.sendSize = false;
    }
  }

  private static byte[] message(Port port, int event, int value, byte... payload) {
    return ByteBuffer.allocate(HEADER + payload.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(port.id)
        .putShort((short) event)
        .putShort((short) value)
        .put(payload)
        .array();
  }
}
