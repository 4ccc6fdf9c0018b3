// SPDX-License-Identifier: Apache-2.0
/** What the launcher does inside of the framework: makes the virtual machine that was asked for. */
package org.plex86.launcher.session;
