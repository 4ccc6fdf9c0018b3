// SPDX-License-Identifier: Apache-2.0
/** Frames for the guest. */
package org.plex86.hal.net.user.wire;
