// SPDX-License-Identifier: Apache-2.0
/** The embedded OSGi framework: where its bundles come from, its start and its end. */
package org.plex86.launcher.framework;
