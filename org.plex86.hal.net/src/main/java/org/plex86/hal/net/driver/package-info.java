// SPDX-License-Identifier: Apache-2.0
/** The service by which a monitor opens network channels. */
package org.plex86.hal.net.driver;
