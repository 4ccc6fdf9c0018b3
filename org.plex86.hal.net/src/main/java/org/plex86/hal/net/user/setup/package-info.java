// SPDX-License-Identifier: Apache-2.0
/** How the guest gets its addresses: ARP, DHCP, and neighbour discovery. */
package org.plex86.hal.net.user.setup;
