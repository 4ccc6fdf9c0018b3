// SPDX-License-Identifier: Apache-2.0
/** What {@code plex86 disk} does with images, without a framework. */
package org.plex86.hal.disk.tool;
