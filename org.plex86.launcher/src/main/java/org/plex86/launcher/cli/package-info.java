// SPDX-License-Identifier: Apache-2.0
/** The command line: options, their values, and the text of errors about them. */
package org.plex86.launcher.cli;
