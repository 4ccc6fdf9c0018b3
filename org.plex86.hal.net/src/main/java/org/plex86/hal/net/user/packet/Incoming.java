// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.plex86.hal.net.link.Offload;

/**
 * A frame from the guest, taken apart; used again for each. The guest can change a frame while it
 * is read, so the headers are copied, checked and then used from the copy only; what is no TCP is
 * copied whole. The payload of TCP alone is used in place.
 *
 * <p>This is written by hand because the packet libraries for Java (pcap4j, Kaitai) make an object
 * and a copy per header and payload, which is several copies of every 64 KiB segment.
 */
public final class Incoming {
  /** What Backend.send may bring at most. */
  public static final int LARGEST = 65_550;

  private static final int HEAD = 256;
  private static final int EXTENSIONS = 8;
  private static final int IPV6_FRAGMENT = 44;

  private final byte[] bytes = new byte[LARGEST];
  private final ByteBuffer copy = ByteBuffer.wrap(bytes);
  private final Reassembly reassembly = new Reassembly();

  private List<ByteBuffer> frame = List.of();
  private int length;
  private boolean checksumLeft;
  private int etherType;
  private Ip source = Ip.v4(0);
  private Ip destination = Ip.v4(0);
  private int protocol;
  private int transport;
  private int end;

  /**
   * Takes the next frame.
   *
   * @param now in ms of any clock, to forget fragments by
   * @return false: it is malformed, or a fragment of a packet that is not yet complete
   */
  public boolean take(List<ByteBuffer> buffers, Offload offload, long now) {
    frame = buffers;
    length = 0;
    for (ByteBuffer buffer : buffers) {
      length += buffer.limit();
    }
    if (length < Protocol.ETHERNET_HEADER || length > LARGEST) {
      return false;
    }
    checksumLeft = offload.needsChecksum();
    copy(0, Math.min(length, HEAD));
    etherType = copy.getShort(12) & 0xffff;
    transport = Protocol.ETHERNET_HEADER;
    end = length;
    protocol = -1;
    boolean good =
        switch (etherType) {
          case Protocol.ETHER_IPV4 -> ipv4(now);
          case Protocol.ETHER_IPV6 -> ipv6(now);
          case Protocol.ETHER_ARP -> true;
          default -> false;
        };
    if (good && protocol != Protocol.TCP) {
      copy(Math.min(length, HEAD), end);
    }
    return good;
  }

  private void copy(int from, int to) {
    int start = 0;
    for (ByteBuffer buffer : frame) {
      int first = Math.max(from, start);
      int last = Math.min(to, start + buffer.limit());
      if (first < last) {
        buffer.get(first - start, bytes, first, last - first);
      }
      start += buffer.limit();
    }
  }

  private boolean ipv4(long now) {
    int ip = Protocol.ETHERNET_HEADER;
    if (length < ip + 20) {
      return false;
    }
    int header = (bytes[ip] & 0xf) * 4;
    int total = copy.getShort(ip + 2) & 0xffff;
    if ((bytes[ip] & 0xf0) != 0x40
        || header < 20
        || total < header
        || ip + total > length
        || Checksum.fold(Checksum.sum(copy, ip, ip + header)) != 0xffff) {
      return false;
    }
    source = Ip.v4(copy.getInt(ip + 12));
    destination = Ip.v4(copy.getInt(ip + 16));
    protocol = bytes[ip + 9] & 0xff;
    transport = ip + header;
    end = ip + total;
    int fragment = copy.getShort(ip + 6) & 0x3fff;
    if (fragment == 0) {
      return true;
    }
    int id = copy.getShort(ip + 4) & 0xffff;
    return fragment(id, (fragment & 0x1fff) * 8, (fragment & 0x2000) != 0, now);
  }

  private boolean ipv6(long now) {
    int ip = Protocol.ETHERNET_HEADER;
    if (length < ip + 40) {
      return false;
    }
    int payload = copy.getShort(ip + 4) & 0xffff;
    if ((bytes[ip] & 0xf0) != 0x60 || ip + 40 + payload > length) {
      return false;
    }
    source = new Ip(copy.getLong(ip + 8), copy.getLong(ip + 16));
    destination = new Ip(copy.getLong(ip + 24), copy.getLong(ip + 32));
    if (source.isV4() || destination.isV4()) {
      return false;
    }
    transport = ip + 40;
    end = transport + payload;
    int head = Math.min(end, HEAD);
    protocol = bytes[ip + 6] & 0xff;
    // RFC 8200, 4: hop-by-hop (0), routing (43), fragment and destination options (60).
    for (int i = 0; i < EXTENSIONS; i++) {
      boolean isFragment = protocol == IPV6_FRAGMENT;
      if (!isFragment && protocol != 0 && protocol != 43 && protocol != 60) {
        return transport <= end;
      }
      if (transport + 8 > head) {
        return false;
      }
      protocol = bytes[transport] & 0xff;
      if (isFragment) {
        int offset = copy.getShort(transport + 2) & 0xffff;
        int id = copy.getInt(transport + 4);
        transport += 8;
        return ((offset & 0xfff9) == 0) || fragment(id, offset & 0xfff8, (offset & 1) != 0, now);
      }
      transport += ((bytes[transport + 1] & 0xff) + 1) * 8;
      if (transport > head) {
        return false;
      }
    }
    return false;
  }

  /** Adds a fragment; true if the packet is complete, which then takes the place of the frame. */
  private boolean fragment(int id, int offset, boolean more, long now) {
    copy(Math.min(length, HEAD), end);
    byte[] whole =
        reassembly.add(
            new Reassembly.Key(source, destination, protocol, id),
            offset,
            more,
            ByteBuffer.wrap(bytes, transport, end - transport),
            now);
    // Room for the headers that the packet would have had, so that no offset passes the end.
    if (whole == null || whole.length > LARGEST - 54) {
      return false;
    }
    transport = 54;
    end = transport + whole.length;
    length = end;
    System.arraycopy(whole, 0, bytes, transport, whole.length);
    checksumLeft = false;
    frame = List.of(copy.duplicate());
    return true;
  }

  /** Whether the checksum of TCP, UDP or ICMPv6 is right, or was left to us and is not needed. */
  public boolean checksumIsRight() {
    return checksumLeft
        || Checksum.fold(
                Checksum.pseudo(source, destination, protocol, end - transport)
                    + Checksum.sum(
                        protocol == Protocol.TCP ? frame : List.of(copy), transport, end))
            == 0xffff;
  }

  /**
   * The copy of the frame: of TCP up to the payload, of all others up to {@link #end}; absolute
   * reads only.
   */
  public ByteBuffer bytes() {
    return copy;
  }

  /** How much of a frame of TCP is in the copy, in bytes from its start: headers end by then. */
  public int copied() {
    return Math.min(end, HEAD);
  }

  /** The payload of TCP, in place: what of the frame is from an offset to {@link #end}. */
  public ByteBuffer[] payload(int from) {
    ByteBuffer[] parts = new ByteBuffer[frame.size()];
    int start = 0;
    int count = 0;
    for (ByteBuffer buffer : frame) {
      int first = Math.max(from, start);
      int last = Math.min(end, start + buffer.limit());
      if (first < last) {
        parts[count++] = buffer.slice(first - start, last - first);
      }
      start += buffer.limit();
    }
    return count == parts.length ? parts : Arrays.copyOf(parts, count);
  }

  /** The frame's type, {@link Protocol}. */
  public int etherType() {
    return etherType;
  }

  /** Where an IP packet is from. */
  public Ip source() {
    return source;
  }

  /** Where an IP packet is to go. */
  public Ip destination() {
    return destination;
  }

  /** The protocol in the IP packet; -1 if it is none. */
  public int protocol() {
    return protocol;
  }

  /** Where the header of the protocol in IP begins, in bytes from the start of the frame. */
  public int transport() {
    return transport;
  }

  /** Where the IP packet ends, in bytes from the start of the frame. */
  public int end() {
    return end;
  }

  /** The hop limit; 255 means that the sender is on this link (RFC 4861, 3.1). */
  public int hopLimit() {
    return bytes[Protocol.ETHERNET_HEADER + (etherType == Protocol.ETHER_IPV6 ? 7 : 8)] & 0xff;
  }
}
