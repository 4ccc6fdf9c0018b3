// SPDX-License-Identifier: Apache-2.0
/** Opens, makes and converts images of all formats. */
package org.plex86.hal.disk.format;
