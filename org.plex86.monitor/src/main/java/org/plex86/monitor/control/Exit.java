// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

/**
 * What the guest did that the monitor has to answer, as the nexus wrote it: any values.
 *
 * @param kind one of EXIT_MMIO_WRITE, EXIT_PIO_IN, EXIT_PIO_OUT, EXIT_RDMSR, EXIT_WRMSR
 * @param device number of a virtio-mmio device
 * @param offset of a register, a port, or an MSR, by kind
 * @param size in bytes
 * @param value written
 */
public record Exit(int kind, int device, int offset, int size, long value) {}
