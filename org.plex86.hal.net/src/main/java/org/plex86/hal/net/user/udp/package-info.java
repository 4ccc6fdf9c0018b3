// SPDX-License-Identifier: Apache-2.0
/** Datagrams: RFC 768. */
package org.plex86.hal.net.user.udp;
