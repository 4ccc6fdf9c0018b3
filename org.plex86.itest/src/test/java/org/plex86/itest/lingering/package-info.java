// SPDX-License-Identifier: Apache-2.0

/**
 * What goes into a driver's bundle that the tests make and update; it uses nothing else of them.
 */
package org.plex86.itest.lingering;
