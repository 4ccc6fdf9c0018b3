// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.io.IOException;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.console.exec.ExecPort;

/** What the exec port's threads have to say, brought to the slot's thread. */
final class ExecEvents implements ExecPort.Host {
  /**
   * The launcher's status of a guest that crashed: one whose agent talks nonsense counts as such.
   */
  private static final int STATUS_CRASHED = 4;

  private final ChannelContext context;
  private final ConsoleChannel channel;

  ExecEvents(ChannelContext context, ConsoleChannel channel) {
    this.context = context;
    this.channel = channel;
  }

  @Override
  public void inputReady() {
    channel.pumpSoon(ConsoleChannel.EXEC_IN);
  }

  @Override
  public void outputReady() {
    channel.pumpSoon(ConsoleChannel.EXEC_OUT);
  }

  @Override
  public void finished(int status) {
    context.reportResult(status);
    context.execute(channel::hangUpExec);
  }

  /** One line: a stack trace says nothing more of a failed system call. */
  @Override
  public void failed(String what, IOException cause) {
    context.reportError(what + ": " + cause.getMessage(), null);
  }

  @Override
  public void broken(String how) {
    context.reportError(how, null);
    context.reportResult(STATUS_CRASHED);
  }
}
