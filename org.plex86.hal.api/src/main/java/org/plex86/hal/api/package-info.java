// SPDX-License-Identifier: Apache-2.0
/**
 * The HAL: how packets travel between the drivers of a Linux guest and the host.
 *
 * <p>A HAL packet is a virtio descriptor chain, a HAL channel is a virtio device, its transport is
 * virtio-mmio. Section numbers below are those of the virtio 1.2 specification.
 *
 * <p>A vendor's bundle registers a {@link org.plex86.hal.api.ChannelDriver} as an OSGi service. The
 * monitor binds a channel slot of a virtual machine to the best driver of the slot's type, and may
 * bind it to another one while the guest runs. The types that vendors implement are {@code
 * ChannelDriver}, {@code Channel} and {@code ChannelInterposer}; all others are implemented by the
 * monitor, and by interposers through the classes {@code Forwarding…}.
 */
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("0.2.0")
package org.plex86.hal.api;
