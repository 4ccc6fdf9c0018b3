// SPDX-License-Identifier: Apache-2.0
/**
 * The processes that run the guest: their executable, their start, their supervision, their end.
 */
package org.plex86.monitor.nexus;
