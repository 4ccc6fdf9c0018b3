// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

/**
 * What a look at all references of an image has found.
 *
 * @param errors clusters that are used more often than counted, and references to what is none
 * @param leaks clusters that are counted more often than used: wasted, but harmless
 * @param clusters how many clusters are in use
 */
public record Findings(long errors, long leaks, long clusters) {}
