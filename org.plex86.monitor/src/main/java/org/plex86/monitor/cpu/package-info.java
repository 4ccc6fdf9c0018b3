// SPDX-License-Identifier: Apache-2.0
/** What the guest's CPU is, and the answers to the few exits that the nexus does not handle. */
package org.plex86.monitor.cpu;
