// SPDX-License-Identifier: Apache-2.0
/**
 * What the console offers to other bundles: keys on the user's terminal, the loan of that terminal,
 * and the last lines of a guest's console.
 */
@org.osgi.annotation.bundle.Export
@org.osgi.annotation.versioning.Version("0.1.0")
package org.plex86.hal.console;
