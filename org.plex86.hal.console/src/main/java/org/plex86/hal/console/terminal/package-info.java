// SPDX-License-Identifier: Apache-2.0
/** The user's terminal: its modes, its size, and the keys behind Ctrl-A. */
package org.plex86.hal.console.terminal;
