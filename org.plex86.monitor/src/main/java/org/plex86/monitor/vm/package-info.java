// SPDX-License-Identifier: Apache-2.0
/** Virtual machines: configuration, life cycle, placement on the host's CPUs. */
package org.plex86.monitor.vm;
