// SPDX-License-Identifier: Apache-2.0
/** The monitor's side of a channel, in memory, for the unit tests of HAL drivers. Not shipped. */
package org.plex86.hal.testkit;
