// SPDX-License-Identifier: Apache-2.0
/** Where the console of a guest goes to. */
package org.plex86.hal.console.endpoint;
