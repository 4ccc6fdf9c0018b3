// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.util.List;
import org.plex86.bench.host.EchoServer;

/** The host's side of a storm on net: a server that sends back what it gets, and an ssh session. */
final class NetHost implements HostSide {
  private final EchoServer echo;
  private final SshSession session;

  NetHost(EchoServer echo, SshSession session) {
    this.echo = echo;
    this.session = session;
  }

  @Override
  public void start() throws IOException {
    session.begin();
  }

  @Override
  public long bytes() {
    return echo.bytes();
  }

  @Override
  public void stop() throws InterruptedException {
    session.end();
  }

  @Override
  public List<String> problems() {
    return session.problem() == null ? List.of() : List.of("ssh session: " + session.problem());
  }

  @Override
  public List<String> told() {
    return List.of("ssh session: %d lines typed and answered".formatted(session.lines()));
  }
}
