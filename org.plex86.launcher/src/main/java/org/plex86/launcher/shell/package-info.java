// SPDX-License-Identifier: Apache-2.0
/** The Gogo shell on the terminal that is a guest's console: Ctrl-A c, and back. */
package org.plex86.launcher.shell;
