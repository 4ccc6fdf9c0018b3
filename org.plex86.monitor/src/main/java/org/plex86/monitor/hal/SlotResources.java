// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.nio.ByteBuffer;
import org.plex86.monitor.virtio.GuestMemory;
import org.plex86.monitor.virtio.InterruptLine;

/**
 * What a virtual machine gives to one of its slots. All of it must stay mapped until {@link
 * ChannelSlot#close} has returned true.
 *
 * @param memory guest RAM
 * @param registers the device's register page: a direct buffer of 4096 bytes that starts at a page
 * @param interrupt the device's interrupt line
 * @param doorbell the device's doorbell
 */
public record SlotResources(
    GuestMemory memory, ByteBuffer registers, InterruptLine interrupt, Doorbell doorbell) {}
