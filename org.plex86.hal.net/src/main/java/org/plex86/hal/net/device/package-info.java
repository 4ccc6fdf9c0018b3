// SPDX-License-Identifier: Apache-2.0
/** A guest's network card: virtio-net (virtio 1.2, section 5.1). */
package org.plex86.hal.net.device;
