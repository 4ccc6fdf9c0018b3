// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Opens channels of one type. Registered as an OSGi service with the property {@link #TYPE}.
 *
 * <p>One driver serves any number of virtual machines. Its bundle states what it offers as a
 * capability of the name space {@link #NAMESPACE}, so that the resolver refuses what cannot work.
 */
@ConsumerType
public interface ChannelDriver {
  /**
   * Service property, a String: the type of the channels, such as {@code console} or {@code disk}.
   */
  String TYPE = "plex86.hal.type";

  /**
   * Service property, a Boolean: whether a channel can go on for a moment after this service has
   * gone. It then must need nothing of its bundle but classes: neither the service's object, nor
   * other services, nor the bundle's files. Where no other driver is there, the slot keeps it for
   * that moment, so that the guest does not wait while the bundle is updated in place. Without the
   * property a channel is closed before its bundle has stopped.
   */
  String LINGERS = "plex86.hal.lingers";

  /** Name space of the capability that a driver's bundle provides. */
  String NAMESPACE = "plex86.hal";

  /**
   * Opens a channel. Called on the thread of the channel's slot, before the guest sees the device
   * or, when a driver takes over from another one, while no packet is in flight.
   *
   * <p>All resources that the configuration names (files, sockets, terminals) are taken here, so
   * that what cannot work is refused before the guest depends on it.
   *
   * @param context the monitor's side of the channel; valid until {@link Channel#close} returns
   * @param config what the user asked for; keys that the driver does not know are an error
   * @return the open channel
   * @throws HalException the channel cannot be opened; its message is one line for the user that
   *     says what is wrong and what to do
   */
  Channel open(ChannelContext context, ChannelConfig config) throws HalException;
}
