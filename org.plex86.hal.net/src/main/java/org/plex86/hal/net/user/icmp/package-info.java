// SPDX-License-Identifier: Apache-2.0
/** Echo and what is said of packets that get nowhere. */
package org.plex86.hal.net.user.icmp;
