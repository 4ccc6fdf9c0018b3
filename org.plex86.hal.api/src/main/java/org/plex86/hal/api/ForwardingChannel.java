// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.List;
import java.util.Map;

/** A channel that passes everything on, for {@linkplain ChannelInterposer interposers}. */
public abstract class ForwardingChannel implements Channel {
  private final Channel below;

  /** Over the channel that the interposer has opened. */
  protected ForwardingChannel(Channel below) {
    this.below = below;
  }

  @Override
  public int deviceId() {
    return below.deviceId();
  }

  @Override
  public long features() {
    return below.features();
  }

  @Override
  public List<Integer> queueSizes() {
    return below.queueSizes();
  }

  @Override
  public byte[] configSpace() {
    return below.configSpace();
  }

  @Override
  public void start(long features) {
    below.start(features);
  }

  @Override
  public void notify(int queue) {
    below.notify(queue);
  }

  @Override
  public void configWritten(int offset, byte[] value) {
    below.configWritten(offset, value);
  }

  @Override
  public void reset() {
    below.reset();
  }

  @Override
  public void earlyOutput(byte[] text) {
    below.earlyOutput(text);
  }

  @Override
  public void close() {
    below.close();
  }

  @Override
  public Map<String, Object> handOver() {
    return below.handOver();
  }
}
