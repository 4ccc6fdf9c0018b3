// SPDX-License-Identifier: Apache-2.0
/** A bundle that a test puts into the container of a run. */
package org.plex86.launcher.itest.storm;
