// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

import java.time.Duration;
import java.time.Instant;

/**
 * Something that happened to a channel of a virtual machine.
 *
 * @param at when
 * @param what one line
 * @param stall how long the guest was without a driver, where that has just ended; else zero
 */
public record ChannelEvent(Instant at, String what, Duration stall) {}
