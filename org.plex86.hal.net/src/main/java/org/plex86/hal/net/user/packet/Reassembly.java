// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Puts fragments together: RFC 791 and RFC 8200, 4.5. A guest can make us hold {@value #PACKETS}
 * packets of 64 KiB; an older one gives way. Fragments that overlap end their packet, as RFC 5722
 * wants.
 */
final class Reassembly {
  /** What tells fragments of one packet from those of others. */
  record Key(Ip source, Ip destination, int protocol, int id) {}

  private static final int PACKETS = 16;
  private static final int LARGEST = 65_535;
  private static final long LIFETIME_MS = 15_000;

  private static final class Packet {
    private byte[] bytes = new byte[2048];
    private final BitSet blocks = new BitSet();
    private int total = -1;
    private long since;
  }

  private final Map<Key, Packet> packets = new LinkedHashMap<>();

  /** Adds a fragment; the packet without its headers if that made it complete, else null. */
  byte[] add(Key key, int offset, boolean more, ByteBuffer data, long now) {
    int end = offset + data.remaining();
    if (end > LARGEST || data.remaining() == 0 || (more && (data.remaining() & 7) != 0)) {
      return null;
    }
    packets.values().removeIf(p -> now - p.since > LIFETIME_MS);
    Packet packet = packets.get(key);
    if (packet == null) {
      packet = new Packet();
      packet.since = now;
      if (packets.size() == PACKETS) {
        Iterator<Key> eldest = packets.keySet().iterator();
        eldest.next();
        eldest.remove();
      }
      packets.put(key, packet);
    }
    int first = offset / 8;
    int last = (end + 7) / 8;
    int seen = packet.blocks.nextSetBit(first);
    boolean overlaps = seen >= 0 && seen < last;
    boolean pastEnd = packet.total >= 0 && (!more || end > packet.total);
    boolean endsEarly = !more && packet.blocks.length() > last;
    if (overlaps || pastEnd || endsEarly) {
      packets.remove(key);
      return null;
    }
    if (packet.bytes.length < end) {
      packet.bytes =
          Arrays.copyOf(packet.bytes, Math.min(LARGEST, Math.max(end, packet.bytes.length * 2)));
    }
    data.get(packet.bytes, offset, data.remaining());
    packet.blocks.set(first, last);
    if (!more) {
      packet.total = end;
    }
    if (packet.total < 0 || packet.blocks.nextClearBit(0) < (packet.total + 7) / 8) {
      return null;
    }
    packets.remove(key);
    return Arrays.copyOf(packet.bytes, packet.total);
  }
}
