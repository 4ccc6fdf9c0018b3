// SPDX-License-Identifier: Apache-2.0
/** The service by which a monitor opens consoles. */
package org.plex86.hal.console.driver;
