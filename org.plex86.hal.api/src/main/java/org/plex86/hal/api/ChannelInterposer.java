// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Stands between the guest and a channel's driver: traces, throttles, injects faults. Registered as
 * an OSGi service with the property {@link ChannelDriver#TYPE}, and perhaps {@link #VM} and {@link
 * #CHANNEL}. It may come and go while the guest runs: the channel is then opened anew, with what
 * was handed over, as at any change of drivers.
 *
 * <p>Interposers of one channel are stacked by {@code service.ranking}: the highest is next to the
 * guest, the driver is below them all. One that crashes, refuses or hides from the guest what it
 * knows is left out; the channel goes on without it.
 *
 * <p>The usual one is a {@link ForwardingChannel} over the channel below, which it opens with a
 * {@link ForwardingContext}, whose queues it replaces by a {@link ForwardingQueue}.
 */
@ConsumerType
public interface ChannelInterposer {
  /** The value of {@link ChannelDriver#TYPE} for channels of every type. */
  String ANY = "*";

  /** Service property, String or String[]: the machines that it is meant for; absent: all. */
  String VM = "plex86.hal.vm";

  /** Service property, String or String[]: the channels that it is meant for; absent: all. */
  String CHANNEL = "plex86.hal.channel";

  /**
   * Opens a channel over another one. As {@link ChannelDriver#open}, on the slot's thread.
   *
   * <p>{@link ChannelContext#inherited} is one map for all of a stack. An interposer must leave the
   * entries of others where they are, and its {@link Channel#handOver} must add its own to those of
   * the channel below.
   *
   * @param context the side of the guest
   * @param config the driver's: an interposer is configured by other means
   * @param below the rest of the stack; to be opened once. If this method throws after that, the
   *     slot ends that channel
   * @throws HalException the interposer cannot do its work, or {@code below} has thrown
   */
  Channel open(ChannelContext context, ChannelConfig config, ChannelDriver below)
      throws HalException;
}
