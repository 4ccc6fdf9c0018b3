// SPDX-License-Identifier: Apache-2.0
/** A network interface of the host (tap) as the other end of a guest's card. */
package org.plex86.hal.net.tap;
