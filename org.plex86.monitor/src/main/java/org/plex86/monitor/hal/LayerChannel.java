// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import java.util.Map;
import org.plex86.hal.api.Channel;

/** The channel of one service of a stack, as the one above it calls it. */
final class LayerChannel implements Channel {
  private final Blame blame;
  private final HalService service;
  private final Channel channel;

  LayerChannel(Blame blame, HalService service, Channel channel) {
    this.blame = blame;
    this.service = service;
    this.channel = channel;
  }

  HalService service() {
    return service;
  }

  @Override
  public int deviceId() {
    return blame.in(service, channel::deviceId);
  }

  @Override
  public long features() {
    return blame.in(service, channel::features);
  }

  @Override
  public List<Integer> queueSizes() {
    return blame.in(service, channel::queueSizes);
  }

  @Override
  public byte[] configSpace() {
    return blame.in(service, channel::configSpace);
  }

  @Override
  public void start(long features) {
    blame.run(service, () -> channel.start(features));
  }

  @Override
  public void notify(int queue) {
    blame.run(service, () -> channel.notify(queue));
  }

  @Override
  public void configWritten(int offset, byte[] value) {
    blame.run(service, () -> channel.configWritten(offset, value));
  }

  @Override
  public void reset() {
    blame.run(service, channel::reset);
  }

  @Override
  public void earlyOutput(byte[] text) {
    blame.run(service, () -> channel.earlyOutput(text));
  }

  @Override
  public void close() {
    blame.run(service, channel::close);
  }

  @Override
  public Map<String, Object> handOver() {
    return blame.in(service, channel::handOver);
  }
}
