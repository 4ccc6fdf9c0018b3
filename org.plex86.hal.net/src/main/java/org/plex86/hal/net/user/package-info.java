// SPDX-License-Identifier: Apache-2.0
/**
 * A net for a guest that needs no privilege: its packets end here, and what they carry goes on over
 * ordinary sockets of the host. The packages below are one concern each: {@code packet} takes
 * frames apart, {@code wire} makes them, {@code io} waits for sockets and keeps bytes, {@code tcp},
 * {@code udp}, {@code icmp} and {@code dns} are the protocols, {@code setup} gives the guest its
 * addresses, {@code forward} leads from ports of the host to the guest.
 */
package org.plex86.hal.net.user;
