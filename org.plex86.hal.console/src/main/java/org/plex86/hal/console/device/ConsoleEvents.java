// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.io.IOException;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.console.endpoint.Endpoint;
import org.plex86.hal.console.terminal.WindowSize;

/** What the endpoint's threads have to say, brought to the slot's thread. */
final class ConsoleEvents implements Endpoint.Listener {
  private final ChannelContext context;
  private final ConsoleChannel channel;

  ConsoleEvents(ChannelContext context, ConsoleChannel channel) {
    this.context = context;
    this.channel = channel;
  }

  @Override
  public void inputReady() {
    channel.pumpSoon(ConsoleChannel.CONSOLE_IN);
  }

  @Override
  public void outputReady() {
    channel.pumpSoon(ConsoleChannel.CONSOLE_OUT);
  }

  @Override
  public void resized(WindowSize size) {
    context.execute(() -> channel.resize(size));
  }

  @Override
  public void gone(String why, int status) {
    context.reportError(why, null);
    context.reportResult(status);
  }

  /** One line: a stack trace says nothing more of a failed system call. */
  @Override
  public void failed(String what, IOException cause) {
    context.reportError(what + ": " + cause.getMessage(), null);
  }
}
