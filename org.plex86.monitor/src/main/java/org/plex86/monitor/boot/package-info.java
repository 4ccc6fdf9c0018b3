// SPDX-License-Identifier: Apache-2.0
/**
 * Puts a kernel, an initial RAM disk, the boot parameters and the command line into guest memory.
 *
 * <p>Files are hostile: every number in them is checked before it is used, and no file makes more
 * work than guest memory is large.
 */
package org.plex86.monitor.boot;
