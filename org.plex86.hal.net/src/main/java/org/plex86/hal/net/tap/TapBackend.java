// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.link.VirtioHeader;

/**
 * A card plugged into a tap. Reads and writes are done on the slot's thread, and never wait;
 * another thread waits until they can go on. One copy each way: guest memory is not handed to
 * system calls.
 */
public final class TapBackend implements Backend {
  private static final String KEY_FD = "tap/1/fd";

  /**
   * Closes the descriptor where nobody takes it: the slot closes what is {@link AutoCloseable}, and
   * a stream is the class of the JDK that does something then.
   */
  private static final String KEY_END = "tap/1/end";

  private static final String KEY_FRAME = "tap/1/frame";

  /** Frames in one go. */
  private static final int BUDGET = 64;

  private static final int BUFFER = 1 << 17;

  private final Port port;
  private final TapDevice device;
  private final Readiness readiness;
  private final ByteBuffer incoming = ByteBuffer.allocateDirect(BUFFER);
  private final ByteBuffer outgoing = ByteBuffer.allocateDirect(BUFFER);
  private final byte[] header = new byte[TapDevice.HEADER];

  /** Bytes in {@link #incoming} that the guest has not been given yet. */
  private int waiting;

  private boolean started;

  private TapBackend(Port port, TapDevice device) throws IOException {
    this.port = port;
    this.device = device;
    readiness = new Readiness("tap-" + device.fd(), device.fd(), () -> port.execute(this::ready));
  }

  /** Plugs a card in. The device goes on where there was one before. */
  public static Backend open(Port port, String name, Map<String, Object> inherited)
      throws HalException {
    boolean inherits = inherited.get(KEY_FD) instanceof Integer;
    try {
      TapDevice device =
          inherits ? new TapDevice((Integer) inherited.get(KEY_FD)) : TapDevice.open(name);
      try {
        TapBackend backend = new TapBackend(port, device);
        inherited.remove(KEY_FD);
        inherited.remove(KEY_END);
        if (inherited.remove(KEY_FRAME) instanceof byte[] frame) {
          backend.incoming.put(0, frame);
          backend.waiting = frame.length;
        }
        return backend;
      } catch (IOException e) {
        if (!inherits) {
          device.close();
        }
        throw new HalException("cannot wait for the tap '" + name + "': " + e.getMessage(), e);
      }
    } catch (LinkageError e) {
      // JNA found no native part for this host: taps cannot work, other nets can.
      throw new HalException("a tap cannot call the C library: " + e.getMessage(), e);
    }
  }

  @Override
  public void start() {
    started = true;
    try {
      device.setOffload(
          port.takesPartialChecksums(),
          port.takes(Offload.Segmentation.TCP4),
          port.takes(Offload.Segmentation.TCP6));
    } catch (IOException e) {
      port.reportError("the tap takes no offloads", e);
    }
    receive();
  }

  /** The device can be read, or written, or has gone. */
  private void ready() {
    if (started) {
      port.resumeSending();
      receive();
    }
  }

  @Override
  public boolean send(List<ByteBuffer> frame, Offload offload) {
    VirtioHeader.write(offload, 0, header);
    outgoing.clear().put(header);
    for (ByteBuffer piece : frame) {
      outgoing.put(piece);
    }
    int length = outgoing.position();
    outgoing.clear();
    try {
      if (device.write(outgoing, length) < 0) {
        readiness.want((short) (LibC.POLLIN | LibC.POLLOUT));
        return false;
      }
    } catch (IOException e) {
      // dropped, as by a network: the interface is down, say
      port.reportError("the tap takes no frames", e);
    }
    return true;
  }

  @Override
  public void roomAgain() {
    receive();
  }

  private void receive() {
    try {
      int count = 0;
      boolean room = true;
      while (count < BUDGET && (waiting > 0 || (waiting = device.read(incoming)) > 0)) {
        room = deliver();
        if (!room) {
          break;
        }
        waiting = 0;
        count++;
      }
      waiting = Math.max(waiting, 0);
      port.flush();
      if (count == BUDGET) {
        port.execute(this::ready);
      } else if (room) {
        readiness.want(LibC.POLLIN);
      }
    } catch (IOException e) {
      waiting = 0;
      port.reportError("the tap gives no frames", e);
    }
  }

  /** Gives the guest the frame that waits, or drops it; false: no room. */
  private boolean deliver() {
    int length = waiting - TapDevice.HEADER;
    if (length < VirtioHeader.FRAME_MIN || length > port.largestFrame()) {
      return true;
    }
    Port.Room room = port.room(length);
    if (room == null) {
      return false;
    }
    incoming.get(0, header);
    Offload offload = VirtioHeader.parse(header, length);
    int at = TapDevice.HEADER;
    for (ByteBuffer buffer : room.buffers()) {
      buffer.put(buffer.position(), incoming, at, buffer.remaining());
      at += buffer.remaining();
    }
    if (offload == null) {
      room.cancel();
    } else {
      room.deliver(length, offload);
    }
    return true;
  }

  @Override
  public void stop() {
    started = false;
    waiting = 0;
  }

  @Override
  public Map<String, Object> handOver() {
    started = false;
    readiness.close();
    Map<String, Object> state = new HashMap<>();
    state.put(KEY_FD, device.fd());
    state.put(KEY_END, Stream.empty().onClose(device::close));
    if (waiting > 0) {
      byte[] frame = new byte[waiting];
      incoming.get(0, frame);
      state.put(KEY_FRAME, frame);
    }
    return state;
  }

  @Override
  public void close() {
    started = false;
    readiness.close();
    device.close();
  }
}
