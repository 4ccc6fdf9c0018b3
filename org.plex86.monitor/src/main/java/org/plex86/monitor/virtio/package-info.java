// SPDX-License-Identifier: Apache-2.0
/**
 * The device side of virtio 1.2: split virtqueues and the virtio-mmio transport, written for a
 * hostile guest. Section numbers are those of the virtio 1.2 specification.
 *
 * <p>Reading order: {@link org.plex86.monitor.virtio.GuestMemory}, {@code ChainReader}, {@code
 * Virtqueue}, {@code MmioTransport}. Whatever is read from guest memory is read once, checked, then
 * used; a violation breaks the one device (DEVICE_NEEDS_RESET) and nothing else.
 */
package org.plex86.monitor.virtio;
