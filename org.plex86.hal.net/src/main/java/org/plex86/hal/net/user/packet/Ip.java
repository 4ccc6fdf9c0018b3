// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * An address, IPv6 or IPv4 (as ::ffff:a.b.c.d); cheap to make and to compare.
 *
 * @param high the first 8 bytes
 * @param low the last 8 bytes
 */
public record Ip(long high, long low) {
  private static final long MAPPED = 0xffffL << 32;

  /** An IPv4 address from its 32 bits. */
  public static Ip v4(int bits) {
    return new Ip(0, MAPPED | (bits & 0xffff_ffffL));
  }

  /** An address of the JDK's. */
  public static Ip of(InetAddress address) {
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    return bytes.remaining() == 4 ? v4(bytes.getInt()) : new Ip(bytes.getLong(), bytes.getLong());
  }

  /** Whether it is IPv4. */
  public boolean isV4() {
    return high == 0 && (low & 0xffff_ffff_0000_0000L) == MAPPED;
  }

  /** The 32 bits of an IPv4 address. */
  public int bits() {
    return (int) low;
  }

  /** Whether no single machine is meant: multicast, broadcast, or unspecified. */
  public boolean isMany() {
    if (isV4()) {
      return (bits() >>> 28) >= 14 || (bits() >>> 24) == 0;
    }
    return (high >>> 56) == 0xff || (high == 0 && low == 0);
  }

  /** Whether it is a machine's own (127/8, ::1), which never is on a wire. */
  public boolean isLoopback() {
    return isV4() ? (bits() >>> 24) == 127 : high == 0 && low == 1;
  }

  /** Whether it is of the link only (fe80::/10). */
  public boolean isLinkLocal() {
    return (high >>> 54) == 0xfe80 >>> 6;
  }

  /** Writes 4 or 16 bytes. */
  public void put(ByteBuffer to) {
    if (isV4()) {
      to.putInt(bits());
    } else {
      to.putLong(high).putLong(low);
    }
  }

  /** The address as the JDK has it. */
  public InetAddress toInetAddress() {
    ByteBuffer bytes = ByteBuffer.allocate(isV4() ? 4 : 16);
    put(bytes);
    try {
      return InetAddress.getByAddress(bytes.array());
    } catch (UnknownHostException e) {
      throw new AssertionError("4 or 16 bytes are an address", e);
    }
  }

  @Override
  public String toString() {
    return toInetAddress().getHostAddress();
  }
}
