// SPDX-License-Identifier: Apache-2.0
/** Disk images: raw files and block devices, and qcow2. */
package org.plex86.hal.disk.image;
