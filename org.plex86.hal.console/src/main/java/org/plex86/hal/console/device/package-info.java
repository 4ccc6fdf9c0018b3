// SPDX-License-Identifier: Apache-2.0
/** The virtio console device (virtio 1.2 section 5.3), without its transport. */
package org.plex86.hal.console.device;
