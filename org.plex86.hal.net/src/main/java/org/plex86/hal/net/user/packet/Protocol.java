// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

/** The numbers of protocols: IEEE 802.3 EtherTypes and those of IANA for IP. */
public final class Protocol {
  public static final int ETHERNET_HEADER = 14;
  public static final int ETHER_IPV4 = 0x0800;
  public static final int ETHER_ARP = 0x0806;
  public static final int ETHER_IPV6 = 0x86dd;

  public static final int ICMP = 1;
  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int ICMPV6 = 58;

  private Protocol() {}
}
