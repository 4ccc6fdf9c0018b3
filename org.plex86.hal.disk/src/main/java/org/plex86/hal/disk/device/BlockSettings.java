// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

/**
 * What the user wants of a device.
 *
 * @param discard whether the guest may give storage back
 * @param iops requests a second; 0: no limit
 * @param bps bytes a second; 0: no limit
 */
public record BlockSettings(boolean discard, long iops, long bps) {}
