// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Port;

/** A network card and the cable from it to a backend. */
public final class NetChannel implements Channel, Port {
  /** Makes what the card is plugged into. */
  public interface Opener {
    /** Opens the backend; the port may be kept, and used from {@link Backend#start} on. */
    Backend open(Port port) throws HalException;
  }

  static final int DEVICE_ID = 1;
  static final int RECEIVE = 0;
  static final int TRANSMIT = 1;
  static final int CONTROL = 2;

  /** 15 frames of 64 KiB, or 256 small ones, in Linux's buffers of up to a page each. */
  static final int QUEUE_SIZE = 256;

  private static final int CONTROL_SIZE = 16;
  private static final int CONFIG_BYTES = 12;
  private static final int STATUS_AT = 6;
  private static final int PAIRS_AT = 8;
  private static final int MTU_AT = 10;
  private static final short LINK_UP = 1;

  /** An Ethernet header, and a VLAN tag, which the MTU does not count. */
  private static final int FRAME_EXTRA = 18;

  private static final String KEY_MAC = "net/1/mac";
  private static final String KEY_LINK_DOWN = "net/1/link-down";

  private final ChannelContext context;
  private final int mtu;
  private final Backend backend;
  private final AtomicBoolean resuming = new AtomicBoolean();
  private volatile byte[] mac;
  private boolean linkUp = true;
  private long features;
  private ReceiveQueue receive;
  private TransmitQueue transmit;
  private ControlQueue control;
  private byte[] configKnown;

  /**
   * A card that is plugged in.
   *
   * @param mac its address, 6 bytes, unless the guest had given it another one
   * @param mtu bytes of the largest IP packet, 68 to 65535
   */
  public NetChannel(ChannelContext context, byte[] mac, int mtu, Opener opener)
      throws HalException {
    this.context = context;
    this.mtu = mtu;
    Map<String, Object> inherited = context.inherited();
    this.mac = inherited.get(KEY_MAC) instanceof byte[] given ? given.clone() : mac.clone();
    linkUp = !inherited.containsKey(KEY_LINK_DOWN);
    backend = opener.open(this);
    inherited.remove(KEY_MAC);
    inherited.remove(KEY_LINK_DOWN);
  }

  @Override
  public int deviceId() {
    return DEVICE_ID;
  }

  @Override
  public long features() {
    return NetFeatures.OFFERED;
  }

  @Override
  public List<Integer> queueSizes() {
    return List.of(QUEUE_SIZE, QUEUE_SIZE, CONTROL_SIZE);
  }

  @Override
  public byte[] configSpace() {
    configKnown =
        ByteBuffer.allocate(CONFIG_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(0, mac)
            .putShort(STATUS_AT, linkUp ? LINK_UP : 0)
            .putShort(PAIRS_AT, (short) 1)
            .putShort(MTU_AT, (short) mtu)
            .array();
    return configKnown.clone();
  }

  @Override
  public void start(long negotiated) {
    features = negotiated;
    receive = new ReceiveQueue(context.queue(RECEIVE), has(NetFeatures.MRG_RXBUF));
    transmit = new TransmitQueue(context.queue(TRANSMIT), backend, negotiated);
    control = new ControlQueue(context.queue(CONTROL), this::addressSet);
    updateConfig();
    backend.start();
  }

  @Override
  public void notify(int queue) {
    if (transmit == null) {
      return;
    }
    switch (queue) {
      case RECEIVE -> roomMade();
      case TRANSMIT -> pumpTransmit();
      case CONTROL -> pumpControl();
      default -> {}
    }
  }

  private void roomMade() {
    if (receive.wasStarved()) {
      backend.roomAgain();
    }
  }

  private void pumpTransmit() {
    TransmitQueue current = transmit;
    if (current != null && current.pump()) {
      context.execute(this::pumpTransmit);
    }
  }

  private void pumpControl() {
    ControlQueue current = control;
    if (current != null && current.pump()) {
      context.execute(this::pumpControl);
    }
  }

  @Override
  public void reset() {
    if (transmit != null) {
      transmit = null;
      control = null;
      receive.reset();
      receive = null;
      backend.stop();
    }
  }

  @Override
  public void close() {
    backend.close();
  }

  @Override
  public Map<String, Object> handOver() {
    Map<String, Object> state = new HashMap<>(backend.handOver());
    state.put(KEY_MAC, mac);
    if (!linkUp) {
      state.put(KEY_LINK_DOWN, true);
    }
    return state;
  }

  @Override
  public Room room(int size) {
    return receive == null ? null : receive.room(size);
  }

  @Override
  public int largestFrame() {
    return has(NetFeatures.GUEST_TSO4 | NetFeatures.GUEST_TSO6)
        ? FrameHeader.FRAME_MAX
        : Math.min(mtu + FRAME_EXTRA, FrameHeader.FRAME_MAX);
  }

  @Override
  public boolean takesPartialChecksums() {
    return has(NetFeatures.GUEST_CSUM);
  }

  @Override
  public boolean takes(Offload.Segmentation segmentation) {
    return switch (segmentation) {
      case NONE -> true;
      case TCP4 -> has(NetFeatures.GUEST_CSUM) && has(NetFeatures.GUEST_TSO4);
      case TCP6 -> has(NetFeatures.GUEST_CSUM) && has(NetFeatures.GUEST_TSO6);
      case UDP -> false;
    };
  }

  @Override
  public byte[] mac() {
    return mac.clone();
  }

  @Override
  public void flush() {
    if (receive != null) {
      context.queue(RECEIVE).flush();
    }
  }

  @Override
  public void resumeSending() {
    if (resuming.compareAndSet(false, true)) {
      context.execute(
          () -> {
            resuming.set(false);
            if (transmit != null) {
              transmit.unblock();
              pumpTransmit();
            }
          });
    }
  }

  @Override
  public void setLinkUp(boolean up) {
    linkUp = up;
    if (transmit != null) {
      updateConfig();
    }
  }

  @Override
  public void execute(Runnable task) {
    context.execute(task);
  }

  @Override
  public void reportError(String message, Throwable cause) {
    context.reportError(message, cause);
  }

  private void addressSet(byte[] address) {
    mac = address;
    updateConfig();
  }

  /** Tells the guest of the configuration space, if it is not what it knows. */
  private void updateConfig() {
    byte[] before = configKnown;
    byte[] now = configSpace();
    if (!Arrays.equals(before, now)) {
      context.updateConfigSpace(now);
    }
  }

  private boolean has(long anyOf) {
    return NetFeatures.has(features, anyOf);
  }
}
