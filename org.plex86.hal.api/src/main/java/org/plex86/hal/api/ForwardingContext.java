// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.Map;

/**
 * A context that passes everything on, for {@linkplain ChannelInterposer interposers} to override
 * what they change; as a rule {@link #queue}, for which one object a queue is to be made.
 */
public abstract class ForwardingContext implements ChannelContext {
  private final ChannelContext above;

  /** Over the context that the interposer was opened with. */
  protected ForwardingContext(ChannelContext above) {
    this.above = above;
  }

  @Override
  public String vmName() {
    return above.vmName();
  }

  @Override
  public String channelName() {
    return above.channelName();
  }

  @Override
  public PacketQueue queue(int index) {
    return above.queue(index);
  }

  @Override
  public void execute(Runnable task) {
    above.execute(task);
  }

  @Override
  public void updateConfigSpace(byte[] config) {
    above.updateConfigSpace(config);
  }

  @Override
  public void reportResult(int status) {
    above.reportResult(status);
  }

  @Override
  public void reportError(String message, Throwable cause) {
    above.reportError(message, cause);
  }

  @Override
  public Map<String, Object> inherited() {
    return above.inherited();
  }
}
