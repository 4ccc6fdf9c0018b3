// SPDX-License-Identifier: Apache-2.0
/**
 * Images of the format qcow2, versions 2 and 3, as QEMU's docs/interop/qcow2.txt describes it.
 *
 * <p>There is no well-kept Java library for it: what Maven Central has reads only, or calls QEMU's
 * programs.
 *
 * <p>What is true at any moment on the medium, whatever is lost with the host's power:
 *
 * <ul>
 *   <li>a cluster that is referred to has a reference count of at least as much: counts are raised,
 *       durably, for a stock of clusters before the first of them is used ({@link Refcounts}), and
 *       lowered only once the references are durably gone;
 *   <li>a table is durable before it is referred to;
 *   <li>where a cluster takes the place of another one, or of a part of the image below, its
 *       content is durable before it is referred to ({@link MetadataCache}, pages held back).
 * </ul>
 *
 * So a crash of any kind leaves at most clusters that nothing refers to.
 */
package org.plex86.hal.disk.qcow2;
