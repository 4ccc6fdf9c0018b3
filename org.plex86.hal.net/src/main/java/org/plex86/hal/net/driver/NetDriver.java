// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.driver;

import java.util.Map;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.annotations.Component;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.device.NetChannel;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.tap.TapBackend;
import org.plex86.hal.net.user.UserNet;
import org.plex86.hal.net.vswitch.SwitchBackend;

/** Opens network cards and what they are plugged into. */
@Component(property = {ChannelDriver.TYPE + "=net", ChannelDriver.LINGERS + ":Boolean=true"})
@Capability(
    namespace = ChannelDriver.NAMESPACE,
    attribute = {"type=net", "protocol=virtio", "device:Long=1"})
public final class NetDriver implements ChannelDriver {
  @Override
  public Channel open(ChannelContext context, ChannelConfig config) throws HalException {
    NetOptions options = NetOptions.of(config);
    byte[] mac =
        options.mac() == null
            ? MacAddress.of(context.vmName(), context.channelName())
            : MacAddress.parse(options.mac());
    Map<String, Object> inherited = context.inherited();
    return new NetChannel(context, mac, options.mtu(), port -> plug(options, port, inherited));
  }

  private static Backend plug(NetOptions options, Port port, Map<String, Object> inherited)
      throws HalException {
    return switch (options.backend()) {
      case SWITCH -> SwitchBackend.open(port, options.target(), inherited);
      case USER -> UserNet.open(port, options.own(), inherited);
      case TAP -> TapBackend.open(port, options.target(), inherited);
    };
  }
}
