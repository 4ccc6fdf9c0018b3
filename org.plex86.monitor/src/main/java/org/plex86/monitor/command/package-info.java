// SPDX-License-Identifier: Apache-2.0
/**
 * Commands of the Gogo shell, as services that need nothing of it: without a shell in the container
 * nobody calls them.
 */
package org.plex86.monitor.command;
