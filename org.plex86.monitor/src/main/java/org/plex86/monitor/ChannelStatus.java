// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

import java.time.Duration;

/**
 * A channel of a virtual machine at one moment.
 *
 * @param name unique in its virtual machine, such as {@code console0}
 * @param type the type of driver that it needs, such as {@code console}
 * @param device the number of the virtio-mmio device, from 0
 * @param state the state of the channel's slot, such as {@code BOUND} or {@code PARKED}
 * @param reason why it is in this state, one line; empty when there is nothing to say
 * @param driver the bundle and version of the driver that serves it, and of the interposers before
 *     it; empty when there is none
 * @param swaps how often a driver was bound after the first one, be it the same again
 * @param lastStall how long the guest was without a driver when one was bound last; zero if never
 * @param inFlight packets that the driver holds
 */
public record ChannelStatus(
    String name,
    String type,
    int device,
    String state,
    String reason,
    String driver,
    int swaps,
    Duration lastStall,
    int inFlight) {}
