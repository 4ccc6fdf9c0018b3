// SPDX-License-Identifier: Apache-2.0
/** The memory that the monitor shares with the nexus. */
package org.plex86.monitor.control;
