// SPDX-License-Identifier: Apache-2.0
/**
 * A bundle that is put into the container of a VM and replaces drivers there, as it is told by a
 * socket. It knows nothing of the rest of bench.
 */
package org.plex86.bench.storm.agent;
