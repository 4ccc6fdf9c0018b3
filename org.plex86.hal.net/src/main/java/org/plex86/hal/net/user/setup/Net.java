// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.setup;

import org.plex86.hal.net.user.packet.Ip;

/** The addresses of the guest's net: for IPv4 those of QEMU's, for IPv6 of RFC 4193. */
public final class Net {
  public static final Ip GUEST4 = Ip.v4(0x0a00_020f);
  public static final Ip GATEWAY4 = Ip.v4(0x0a00_0202);
  public static final Ip DNS4 = Ip.v4(0x0a00_0203);
  public static final int MASK4 = 0xffff_ff00;

  /** fd00:86:0:1::/64. */
  public static final long PREFIX6 = 0xfd00_0086_0000_0001L;

  public static final Ip GATEWAY6 = new Ip(PREFIX6, 2);
  public static final Ip DNS6 = new Ip(PREFIX6, 3);

  /** The router's address of the link, which it advertises itself with. */
  public static final Ip ROUTER6 = new Ip(0xfe80_0000_0000_0000L, 2);

  private Net() {}

  /** Whether an address is of the guest's own net. */
  public static boolean contains(Ip ip) {
    return ip.isV4()
        ? (ip.bits() & MASK4) == (GATEWAY4.bits() & MASK4)
        : ip.high() == PREFIX6 || ip.isLinkLocal();
  }

  /** Whether we answer for an address. */
  public static boolean isOurs(Ip ip) {
    return isGateway(ip) || isDns(ip);
  }

  /** Whether an address stands for the host itself. */
  public static boolean isGateway(Ip ip) {
    return ip.equals(GATEWAY4) || ip.equals(GATEWAY6) || ip.equals(ROUTER6);
  }

  /** Whether an address is that of the resolver. */
  public static boolean isDns(Ip ip) {
    return ip.equals(DNS4) || ip.equals(DNS6);
  }
}
