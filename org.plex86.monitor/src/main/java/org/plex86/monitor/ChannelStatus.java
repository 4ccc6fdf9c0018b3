// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

/**
 * A channel of a virtual machine at one moment.
 *
 * @param name unique in its virtual machine, such as {@code console0}
 * @param type the type of driver that it needs, such as {@code console}
 * @param device the number of the virtio-mmio device, from 0
 * @param state the state of the channel's slot, such as {@code BOUND} or {@code PARKED}
 * @param driver the bundle and version of the driver that serves it; empty when there is none
 */
public record ChannelStatus(String name, String type, int device, String state, String driver) {}
