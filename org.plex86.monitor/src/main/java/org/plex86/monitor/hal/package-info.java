// SPDX-License-Identifier: Apache-2.0
/**
 * The HAL bus: a {@link org.plex86.monitor.hal.ChannelSlot} joins a virtio device of the guest with
 * whichever driver service serves it at the time.
 *
 * <p>Each slot has a thread of its own, on which all methods of its channel run. Everything that
 * happens to a slot (a kick, a driver that comes or goes, a reset by the guest) is brought to that
 * thread as a command, one at a time: so there are no locks around drivers.
 */
package org.plex86.monitor.hal;
