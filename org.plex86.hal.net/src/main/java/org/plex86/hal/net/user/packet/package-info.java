// SPDX-License-Identifier: Apache-2.0
/** Frames of the guest taken apart, without trust in any of it. */
package org.plex86.hal.net.user.packet;
