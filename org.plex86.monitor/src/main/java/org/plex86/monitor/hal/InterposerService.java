// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.Set;
import org.osgi.framework.Version;
import org.plex86.hal.api.ChannelInterposer;

/**
 * An interposer that was registered as a service.
 *
 * @param interposer the service
 * @param types the types of channels that it is for; {@link ChannelInterposer#ANY} for all
 * @param vms the machines that it is for; empty for all
 * @param channels the channels that it is for; empty for all
 * @param ranking {@code service.ranking}: the highest is next to the guest
 * @param id {@code service.id}: unique
 * @param bundle symbolic name of its bundle
 * @param version version of its bundle
 */
record InterposerService(
    ChannelInterposer interposer,
    Set<String> types,
    Set<String> vms,
    Set<String> channels,
    int ranking,
    long id,
    String bundle,
    Version version)
    implements HalService {

  /** Whether it is for a channel. */
  boolean suits(String vm, ChannelSpec spec) {
    return (types.contains(ChannelInterposer.ANY) || types.contains(spec.type()))
        && (vms.isEmpty() || vms.contains(vm))
        && (channels.isEmpty() || channels.contains(spec.name()));
  }
}
