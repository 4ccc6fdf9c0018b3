// SPDX-License-Identifier: Apache-2.0
/** The virtio block device (virtio 1.2 section 5.2) over an image. */
package org.plex86.hal.disk.device;
