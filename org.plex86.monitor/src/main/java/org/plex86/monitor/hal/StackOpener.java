// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;

/** Opens the channels of a stack, each by the one above it. For the slot's thread. */
final class StackOpener {
  private final DriverStack stack;
  private final Blame blame;
  private final List<LayerChannel> opened = new ArrayList<>();

  StackOpener(DriverStack stack, Blame blame) {
    this.stack = stack;
    this.blame = blame;
  }

  /** Opens all. */
  Channel open(ChannelContext context, ChannelSpec spec) throws HalException {
    return stack.above().isEmpty()
        ? stack.driver().driver().open(context, spec.config())
        : layer(0, null).open(context, spec.config());
  }

  /**
   * The channels that are open, the driver's first, each a part of the next one. None where the
   * stack is a driver alone.
   */
  List<LayerChannel> opened() {
    return opened;
  }

  private ChannelDriver layer(int index, HalService above) {
    HalService service = stack.services().get(index);
    return (context, config) -> {
      ChannelContext own = new LayerContext(blame, service, above, context);
      Channel channel =
          blame.<Channel, HalException>in(
              service,
              () ->
                  Objects.requireNonNull(
                      service instanceof InterposerService interposer
                          ? interposer.interposer().open(own, config, layer(index + 1, service))
                          : stack.driver().driver().open(own, config),
                      "open returned null"));
      LayerChannel layer = new LayerChannel(blame, service, channel);
      opened.add(layer);
      return layer;
    };
  }
}
