// SPDX-License-Identifier: Apache-2.0
/**
 * The monitor's side of the paravirtual interrupt controller; its state is in the control memory.
 */
package org.plex86.monitor.irq;
