// SPDX-License-Identifier: Apache-2.0
/** What all images of disks have in common. */
package org.plex86.hal.disk.image;
