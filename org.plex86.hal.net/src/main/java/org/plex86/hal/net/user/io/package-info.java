// SPDX-License-Identifier: Apache-2.0
/** Sockets, waited for, and the bytes on their way. */
package org.plex86.hal.net.user.io;
