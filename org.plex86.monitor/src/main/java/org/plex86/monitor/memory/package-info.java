// SPDX-License-Identifier: Apache-2.0
/** The C library, descriptors, mappings and guest memory. */
package org.plex86.monitor.memory;
