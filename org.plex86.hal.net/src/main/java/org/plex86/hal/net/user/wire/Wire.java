// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.wire;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Offload.Segmentation;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.io.ByteQueue;
import org.plex86.hal.net.user.packet.Checksum;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.packet.Protocol;

/**
 * Packets to the guest. Small ones wait in a bounded queue where the guest has no room at the
 * moment; a segment of TCP does not, as its connection holds the bytes anyhow. Slot's thread.
 */
public final class Wire {
  /** The card's address that all hosts behind it have; locally administered, as QEMU's. */
  private static final byte[] ROUTER_MAC = {0x52, 0x55, 0x0a, 0x00, 0x02, 0x02};

  private static final int WAITING_PACKETS = 1024;
  private static final int WAITING_BYTES = 1 << 20;
  private static final int MTU = 1500;
  private static final int TTL = 64;
  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int FRAGMENT_HEADER = 8;

  private final Port port;
  private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
  private final byte[] header = new byte[128];
  private final ByteBuffer head = ByteBuffer.wrap(header);
  private int waitingBytes;
  private int identification;
  private boolean up;
  private boolean delivered;

  /** A wire to a port. */
  public Wire(Port port) {
    this.port = port;
  }

  /** The guest's driver is up or not. */
  public void setUp(boolean up) {
    this.up = up;
  }

  /** Whether the guest's driver is up. */
  public boolean isUp() {
    return up;
  }

  /** The address of all that is behind the wire, 6 bytes. */
  public static byte[] routerMac() {
    return ROUTER_MAC.clone();
  }

  /** Tells the guest of what was delivered. */
  public void flush() {
    if (delivered) {
      delivered = false;
      port.flush();
    }
  }

  /** Delivers what waits; true if nothing is left. */
  public boolean drain() {
    while (up && !waiting.isEmpty()) {
      byte[] frame = waiting.peek();
      if (!deliver(frame, frame.length)) {
        return false;
      }
      waitingBytes -= frame.length;
      waiting.remove();
    }
    return waiting.isEmpty();
  }

  /** The frames that wait, for a handover. */
  public List<byte[]> waiting() {
    return new ArrayList<>(waiting);
  }

  /** Takes over frames that waited. */
  public void restore(List<byte[]> frames) {
    frames.forEach(this::enqueue);
  }

  private void enqueue(byte[] frame) {
    if (waiting.size() < WAITING_PACKETS && waitingBytes + frame.length <= WAITING_BYTES) {
      waiting.add(frame);
      waitingBytes += frame.length;
    }
  }

  private boolean deliver(byte[] frame, int length) {
    Port.Room room = port.room(length);
    if (room == null) {
      return false;
    }
    int from = 0;
    for (ByteBuffer buffer : room.buffers()) {
      int count = Math.min(buffer.limit(), length - from);
      buffer.put(0, frame, from, count);
      from += count;
    }
    room.deliver(length, Offload.NONE);
    delivered = true;
    return true;
  }

  /** Sends a complete frame, at once or when there is room. */
  public void frame(byte[] frame, int length) {
    if (!up) {
      return;
    }
    if (!waiting.isEmpty() || !deliver(frame, length)) {
      enqueue(Arrays.copyOf(frame, length));
    }
  }

  private void ethernet(int type) {
    head.clear();
    head.put(port.mac()).put(ROUTER_MAC).putShort((short) type);
  }

  private void ipHeader(
      Ip source, Ip destination, int protocol, int hops, int payload, int fragment) {
    if (destination.isV4()) {
      ethernet(Protocol.ETHER_IPV4);
      head.putShort((short) 0x4500).putShort((short) (IPV4_HEADER + payload));
      head.putShort((short) identification);
      // A packet that is no fragment must not become one either: the guest's path is this wire.
      head.putShort((short) (fragment == 0 ? 0x4000 : fragment));
      head.put((byte) hops).put((byte) protocol).putShort((short) 0);
      source.put(head);
      destination.put(head);
      head.putShort(
          Protocol.ETHERNET_HEADER + 10,
          Checksum.of(
              Checksum.sum(
                  head, Protocol.ETHERNET_HEADER, Protocol.ETHERNET_HEADER + IPV4_HEADER)));
    } else {
      ethernet(Protocol.ETHER_IPV6);
      head.putInt(0x6000_0000).putShort((short) payload);
      head.put((byte) protocol).put((byte) hops);
      source.put(head);
      destination.put(head);
    }
  }

  /**
   * Sends a packet, in fragments if it is larger than the guest's MTU.
   *
   * @param packet the bytes after the IP header, position 0 to limit, in an array
   * @param checksumAt where its checksum goes, which is computed here; the field is 0
   */
  public void packet(Ip source, Ip destination, int protocol, ByteBuffer packet, int checksumAt) {
    packet(source, destination, protocol, TTL, packet, checksumAt);
  }

  /** As the other, with a hop limit. */
  public void packet(
      Ip source, Ip destination, int protocol, int hops, ByteBuffer packet, int checksumAt) {
    int length = packet.limit();
    long sum = Checksum.sum(packet, 0, length);
    if (protocol != Protocol.ICMP) {
      sum += Checksum.pseudo(source, destination, protocol, length);
    }
    short checksum = Checksum.of(sum);
    // RFC 768: 0 would mean none.
    packet.putShort(checksumAt, checksum == 0 && protocol == Protocol.UDP ? -1 : checksum);
    boolean v4 = destination.isV4();
    int most = MTU - (v4 ? IPV4_HEADER : IPV6_HEADER);
    identification++;
    if (length <= most) {
      ipHeader(source, destination, protocol, hops, length, 0);
      whole(packet, 0, length);
      return;
    }
    int step = (v4 ? most : most - FRAGMENT_HEADER) & ~7;
    for (int from = 0; from < length; from += step) {
      int count = Math.min(step, length - from);
      boolean more = from + count < length;
      if (v4) {
        ipHeader(source, destination, protocol, hops, count, from / 8 | (more ? 0x2000 : 0));
      } else {
        ipHeader(source, destination, 44, hops, FRAGMENT_HEADER + count, 0);
        head.put((byte) protocol).put((byte) 0).putShort((short) (from | (more ? 1 : 0)));
        head.putInt(identification);
      }
      whole(packet, from, count);
    }
  }

  private void whole(ByteBuffer packet, int from, int count) {
    byte[] frame = new byte[head.position() + count];
    System.arraycopy(header, 0, frame, 0, head.position());
    packet.get(from, frame, head.position(), count);
    frame(frame, frame.length);
  }

  /** Payload bytes that a segment of TCP can have at most. */
  public int largestSegment(boolean v4, int mss) {
    Segmentation kind = v4 ? Segmentation.TCP4 : Segmentation.TCP6;
    if (!port.takesPartialChecksums() || !port.takes(kind)) {
      return mss;
    }
    // RFC 791: 65,535 bytes with the IP header, of which the IPv6 field leaves its own out.
    int most =
        Math.min(port.largestFrame() - Protocol.ETHERNET_HEADER, 65_535)
            - (v4 ? IPV4_HEADER : IPV6_HEADER)
            - 20;
    return Math.max(mss, most / mss * mss);
  }

  /**
   * Sends a segment of TCP with payload.
   *
   * @param tcp its header, from 0 to the limit, checksum 0
   * @param data where the payload is
   * @param offset of the payload in data
   * @param length of the payload
   * @param mss the payload bytes of a segment as it would be on a real wire
   * @return false: the guest has no room
   */
  public boolean segment(
      Flow flow, ByteBuffer tcp, ByteQueue data, int offset, int length, int mss) {
    if (!up || !waiting.isEmpty()) {
      return false;
    }
    int headers =
        Protocol.ETHERNET_HEADER + (flow.isV4() ? IPV4_HEADER : IPV6_HEADER) + tcp.limit();
    Port.Room room = port.room(headers + length);
    if (room == null) {
      return false;
    }
    boolean partial = port.takesPartialChecksums();
    identification++;
    ipHeader(flow.peer(), flow.guest(), Protocol.TCP, TTL, tcp.limit() + length, 0);
    int start = head.position();
    tcp.get(0, header, start, tcp.limit());
    long sum = Checksum.pseudo(flow.peer(), flow.guest(), Protocol.TCP, tcp.limit() + length);
    List<ByteBuffer> to = room.buffers();
    data.copy(offset, length, to, headers);
    if (!partial) {
      // The copy in the queue cannot be changed by the guest, that in its memory can; either may
      // be summed, as a guest that changes it deceives itself only.
      sum += Checksum.sum(head, start, headers);
      sum += Checksum.sum(to, headers, headers + length);
    }
    int checksum = Checksum.fold(sum);
    head.putShort(start + 16, (short) (partial ? checksum : ~checksum));
    int from = 0;
    for (ByteBuffer buffer : to) {
      int count = Math.min(buffer.limit(), headers - from);
      if (count <= 0) {
        break;
      }
      buffer.put(0, header, from, count);
      from += count;
    }
    room.deliver(
        headers + length, partial ? offload(flow, start, length, mss, headers) : Offload.NONE);
    delivered = true;
    return true;
  }

  private static Offload offload(Flow flow, int start, int length, int mss, int headers) {
    if (length <= mss) {
      return new Offload(start, 16, Segmentation.NONE, 0, 0);
    }
    Segmentation kind = flow.isV4() ? Segmentation.TCP4 : Segmentation.TCP6;
    return new Offload(start, 16, kind, mss, headers);
  }
}
