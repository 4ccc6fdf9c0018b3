// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import org.plex86.hal.net.user.icmp.Icmp;
import org.plex86.hal.net.user.io.ChunkPool;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.wire.Wire;

/** What all connections share, as a connection sees it. */
interface Tcp {
  /** Bytes of one connection that the guest has not acknowledged. */
  int SEND_BUFFER = 1 << 20;

  /** Bytes that are read from a host's socket before the guest's window allows to send them. */
  int READ_AHEAD = 64 << 10;

  /** The window that the guest is offered: bytes that its peer may make us keep. */
  int RECEIVE_BUFFER = 512 << 10;

  /** What we scale windows by: RFC 7323, 2.2; enough for {@link #RECEIVE_BUFFER}. */
  int SCALE = 7;

  Wire wire();

  Poller poller();

  ChunkPool pool();

  Icmp icmp();

  /** Milliseconds of a clock that goes on in the next version: System.nanoTime. */
  long now();

  /** The connection has a deadline. */
  void timed(TcpConnection connection);

  /** The guest has no room for a segment: to be tried again when it has. */
  void blocked(TcpConnection connection);

  /** An acknowledgement is due at the end of the batch. */
  void acknowledge(TcpConnection connection);

  /**
   * The connection's socket is looked at by {@link TcpConnection#look}; false: no more of these.
   */
  boolean watch(TcpConnection connection);

  /** There is no chunk for what the host has sent. */
  void starved(TcpConnection connection);

  /** The connection has ended. */
  void ended(TcpConnection connection);
}
