// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import org.osgi.framework.Version;
import org.plex86.hal.api.ChannelDriver;

/**
 * A driver that was registered as a service.
 *
 * @param driver the service
 * @param type the type of channels that it opens
 * @param ranking {@code service.ranking}: the highest serves
 * @param id {@code service.id}: unique
 * @param bundle symbolic name of its bundle
 * @param version version of its bundle
 * @param lingers whether its channels may go on for a moment after it has gone
 */
record DriverService(
    ChannelDriver driver,
    String type,
    int ranking,
    long id,
    String bundle,
    Version version,
    boolean lingers)
    implements HalService {

  /** Whether it may serve a channel. */
  boolean suits(ChannelSpec spec) {
    return type.equals(spec.type()) && (spec.driver().isEmpty() || isOf(spec.driver()));
  }

  /** Whether it is of a bundle: {@code symbolic.name} or {@code symbolic.name:version}. */
  boolean isOf(String wanted) {
    return wanted.equals(bundle) || wanted.equals(bundle + ":" + version);
  }
}
