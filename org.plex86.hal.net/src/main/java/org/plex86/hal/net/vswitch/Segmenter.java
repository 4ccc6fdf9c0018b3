// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.vswitch;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.plex86.hal.net.link.Offload;
import org.plex86.hal.net.link.Offload.Segmentation;

/**
 * Does what a frame leaves to its receiver, for a receiver that cannot: cuts TCP segments and
 * computes checksums, as Linux does in net/ipv4/tcp_offload.c.
 */
final class Segmenter {
  private static final int ETHERNET = 14;
  private static final int TYPE_VLAN = 0x8100;
  private static final int TYPE_SERVICE_VLAN = 0x88a8;
  private static final int VLAN = 4;
  private static final int IP6_HEADER = 40;
  private static final int TCP = 6;
  private static final int TCP_HEADER = 20;
  private static final int TCP_SEQUENCE = 4;
  private static final int TCP_OFFSET = 12;
  private static final int TCP_FLAGS = 13;
  private static final int TCP_CHECKSUM = 16;
  private static final int FIN_PSH = 0x09;
  private static final int CWR = 0x80;

  private Segmenter() {}

  /** Frames that leave nothing to do; none if this one makes no sense. */
  static List<Frame> split(Frame frame) {
    if (frame.offload().segmentation() == Segmentation.NONE) {
      return List.of(withChecksum(frame));
    }
    ByteBuffer in = ByteBuffer.wrap(frame.data(), 0, frame.length());
    int transport = frame.offload().checksumStart();
    int network = network(in);
    boolean six = frame.offload().segmentation() == Segmentation.TCP6;
    if (transport + TCP_HEADER > frame.length()
        || network + (six ? IP6_HEADER : 20) > transport
        || in.get(network) >> 4 != (six ? 6 : 4)) {
      return List.of();
    }
    int headers = transport + 4 * ((in.get(transport + TCP_OFFSET) >> 4) & 0xf);
    if (headers < transport + TCP_HEADER || headers >= frame.length()) {
      return List.of();
    }
    List<Frame> segments = new ArrayList<>();
    int size = frame.offload().segmentSize();
    for (int done = 0; headers + done < frame.length(); done += size) {
      int count = Math.min(size, frame.length() - headers - done);
      byte[] data = new byte[headers + count];
      System.arraycopy(frame.data(), 0, data, 0, headers);
      System.arraycopy(frame.data(), headers + done, data, headers, count);
      ByteBuffer out = ByteBuffer.wrap(data);
      boolean last = headers + done + count == frame.length();
      fixNetwork(out, network, transport, six, segments.size());
      fixTcp(out, network, transport, six, done, last);
      segments.add(Frame.of(data));
    }
    return segments;
  }

  private static Frame withChecksum(Frame frame) {
    Offload offload = frame.offload();
    byte[] data = Arrays.copyOf(frame.data(), frame.length());
    if (offload.needsChecksum()) {
      // the field holds the sum of the pseudo header
      ByteBuffer out = ByteBuffer.wrap(data);
      int sum = fold(sum(out, offload.checksumStart(), data.length, 0));
      putChecksum(out, offload.checksumStart() + offload.checksumOffset(), ~sum & 0xffff);
    }
    return Frame.of(data);
  }

  /** Where the IP header is, behind up to two VLAN tags. */
  private static int network(ByteBuffer in) {
    int at = ETHERNET;
    for (int tags = 0; tags < 2 && at + VLAN <= in.limit(); tags++) {
      int type = in.getShort(at - 2) & 0xffff;
      if (type != TYPE_VLAN && type != TYPE_SERVICE_VLAN) {
        break;
      }
      at += VLAN;
    }
    return at;
  }

  private static void fixNetwork(
      ByteBuffer out, int network, int transport, boolean six, int number) {
    if (six) {
      out.putShort(network + 4, (short) (out.limit() - network - IP6_HEADER));
      return;
    }
    out.putShort(network + 2, (short) (out.limit() - network));
    out.putShort(network + 4, (short) (out.getShort(network + 4) + number));
    out.putShort(network + 10, (short) 0);
    out.putShort(network + 10, (short) ~fold(sum(out, network, transport, 0)));
  }

  private static void fixTcp(
      ByteBuffer out, int network, int transport, boolean six, int done, boolean last) {
    out.putInt(transport + TCP_SEQUENCE, out.getInt(transport + TCP_SEQUENCE) + done);
    int drop = (last ? 0 : FIN_PSH) | (done == 0 ? 0 : CWR);
    out.put(transport + TCP_FLAGS, (byte) (out.get(transport + TCP_FLAGS) & ~drop));
    out.putShort(transport + TCP_CHECKSUM, (short) 0);
    int addresses = network + (six ? 8 : 12);
    long pseudo = sum(out, addresses, addresses + (six ? 32 : 8), TCP + out.limit() - transport);
    int sum = fold(sum(out, transport, out.limit(), pseudo));
    putChecksum(out, transport + TCP_CHECKSUM, ~sum & 0xffff);
  }

  private static void putChecksum(ByteBuffer out, int at, int value) {
    // zero would mean "none" to UDP; both are zero in this arithmetic (RFC 768)
    out.putShort(at, (short) (value == 0 ? 0xffff : value));
  }

  private static long sum(ByteBuffer data, int from, int to, long start) {
    long sum = start;
    for (int i = from; i + 1 < to; i += 2) {
      sum += data.getShort(i) & 0xffff;
    }
    return ((to - from) & 1) == 0 ? sum : sum + ((data.get(to - 1) & 0xff) << 8);
  }

  private static int fold(long sum) {
    long folded = sum;
    while (folded >> 16 != 0) {
      folded = (folded & 0xffff) + (folded >> 16);
    }
    return (int) folded;
  }
}
