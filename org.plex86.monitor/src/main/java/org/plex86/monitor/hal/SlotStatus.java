// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.time.Instant;

/**
 * A slot at one moment.
 *
 * @param state where it is
 * @param driver the bundle and version of the driver that serves it; empty when there is none
 * @param since when it came to this state
 * @param reason why it is in this state, one line; empty when there is nothing to say
 * @param bindings how often a driver was bound
 * @param crashes how often a driver crashed or hung
 * @param inFlight packets that the driver holds
 * @param taken packets that drivers have taken since the guest's driver came up, replays counted
 * @param completed packets given back to the guest since then
 * @param lastStall how long the guest was without a driver when one was bound last; zero if never
 */
public record SlotStatus(
    SlotState state,
    String driver,
    Instant since,
    String reason,
    int bindings,
    int crashes,
    int inFlight,
    long taken,
    long completed,
    Duration lastStall) {}
