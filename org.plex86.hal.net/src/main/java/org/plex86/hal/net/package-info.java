// SPDX-License-Identifier: Apache-2.0
/** Net channels: virtio-net to the host and between machines. */
package org.plex86.hal.net;
