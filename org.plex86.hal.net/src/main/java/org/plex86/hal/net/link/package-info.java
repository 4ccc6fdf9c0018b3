// SPDX-License-Identifier: Apache-2.0
/**
 * The cable between a guest's network card ({@link org.plex86.hal.net.link.Port}) and what it is
 * plugged into ({@link org.plex86.hal.net.link.Backend}).
 */
package org.plex86.hal.net.link;
