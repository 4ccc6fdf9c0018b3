// SPDX-License-Identifier: Apache-2.0
/** Files of the host, read and written from and to the guest's memory without a copy; locks. */
package org.plex86.hal.disk.io;
