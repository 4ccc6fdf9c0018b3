// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.plex86.hal.net.link.Port;

/**
 * Connections whose peers on the host answer within some microseconds. Their sockets are looked at
 * from the slot's thread, again and again for a short time: to have another thread wait for them,
 * wake this one and be told to wait again costs several times what such an answer takes. Slot's
 * thread.
 */
final class PromptPeers {
  /** For how long a connection is looked at since something has come or gone there. */
  static final long LOOK_NANOS = 60_000;

  /** An answer that took no longer, the time to wake two threads counted, may be worth a look. */
  static final long PROMPT_NANOS = 200_000;

  private static final int MOST = 4;

  private final Port port;
  private final Runnable afterLook;
  private final List<TcpConnection> watched = new ArrayList<>(MOST);
  private boolean scheduled;

  /**
   * None.
   *
   * @param afterLook sends what was put together
   */
  PromptPeers(Port port, Runnable afterLook) {
    this.port = port;
    this.afterLook = afterLook;
  }

  /** Looks at a connection that is not among these until its {@link TcpConnection#look} says no. */
  boolean add(TcpConnection connection) {
    if (watched.size() == MOST) {
      return false;
    }
    watched.add(connection);
    schedule();
    return true;
  }

  /** Looks at none any more: their sockets are another's. */
  void end() {
    watched.clear();
  }

  private void schedule() {
    if (!scheduled) {
      scheduled = true;
      port.execute(this::look); // in between the guest has its turn
    }
  }

  private void look() {
    scheduled = false;
    if (watched.isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    for (Iterator<TcpConnection> all = watched.iterator(); all.hasNext(); ) {
      if (!all.next().look(now)) {
        all.remove();
      }
    }
    afterLook.run();
    if (!watched.isEmpty()) {
      schedule();
    }
  }
}
