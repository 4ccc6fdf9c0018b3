// SPDX-License-Identifier: Apache-2.0
/** Disk channels: virtio-blk over image files. */
package org.plex86.hal.disk;
