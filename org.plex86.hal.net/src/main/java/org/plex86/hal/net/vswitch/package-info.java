// SPDX-License-Identifier: Apache-2.0
/** A virtual learning switch between the machines of one JVM. */
package org.plex86.hal.net.vswitch;
