// SPDX-License-Identifier: Apache-2.0
/** File descriptors of the process: reading, writing and waiting on threads that can be stopped. */
package org.plex86.hal.console.io;
