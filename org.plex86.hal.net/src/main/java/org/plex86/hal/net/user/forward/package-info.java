// SPDX-License-Identifier: Apache-2.0
/** Ports of the host that lead to the guest. */
package org.plex86.hal.net.user.forward;
