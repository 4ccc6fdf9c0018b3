// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.forward;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.plex86.hal.net.link.Port;
import org.plex86.hal.net.user.io.Poller;

/** Accepts the host's clients of one forward. */
public final class TcpForward implements Poller.Handler {
  /** Who connects a client to the guest. */
  public interface Target {
    /** A client is there. */
    void accepted(SocketChannel client) throws IOException;
  }

  private static final int AT_ONCE = 64;

  private final Port port;
  private final Poller poller;
  private final ServerSocketChannel server;
  private final Target target;
  private final SelectionKey key;

  /** Accepts from now on. */
  public TcpForward(Port port, Poller poller, ServerSocketChannel server, Target target)
      throws IOException {
    this.port = port;
    this.poller = poller;
    this.server = server;
    this.target = target;
    key = poller.add(server, SelectionKey.OP_ACCEPT, this);
  }

  @Override
  public void ready(int operations) {
    try {
      for (int i = 0; i < AT_ONCE; i++) {
        SocketChannel client = server.accept();
        if (client == null) {
          break;
        }
        target.accepted(client);
      }
    } catch (IOException e) {
      port.reportError("a client of a forward was not accepted", e);
    }
    if (server.isOpen()) {
      poller.want(key, SelectionKey.OP_ACCEPT);
    }
  }
}
