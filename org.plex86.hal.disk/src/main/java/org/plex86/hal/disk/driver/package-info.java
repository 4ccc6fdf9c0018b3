// SPDX-License-Identifier: Apache-2.0
/** The service by which a monitor opens disks, and the commands on them. */
package org.plex86.hal.disk.driver;
