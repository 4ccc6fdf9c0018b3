// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.PseudoTerminal;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * A console at a pseudo-terminal, which any terminal program opens. The size that such a program
 * gives it is the guest's.
 */
public final class PtyEndpoint extends ClientEndpoint {
  private final Consumer<String> announcement;
  private PseudoTerminal pty;
  private PtyLoop loop;
  private volatile WindowSize size = WindowSize.UNKNOWN;

  /**
   * A pseudo-terminal that is not made yet.
   *
   * @param announcement is given its path once it is there
   */
  public PtyEndpoint(Consumer<String> announcement) {
    super("plex86-console-pty");
    this.announcement = announcement;
  }

  @Override
  public void open(Listener events, Saved saved) throws HalException {
    try {
      pty = PseudoTerminal.takeOver(saved.take("pty", IntStream.class));
      boolean made = pty == null;
      if (made) {
        pty = PseudoTerminal.open();
      }
      Clients clients = new Clients(events, "the console's pseudo-terminal serves no more");
      loop = new PtyLoop(pty, input, output, clients, () -> follow(events));
      resume(saved);
      if (saved.takeFlag("client")) {
        loop.adopt();
      }
      size = WindowSize.of(pty.fd());
      if (made) {
        announcement.accept(pty.path());
      }
    } catch (IOException e) {
      if (pty != null) {
        pty.close();
      }
      throw new HalException("the console gets no pseudo-terminal: " + e.getMessage(), e);
    }
    start(loop);
  }

  private void follow(Listener events) {
    WindowSize now = WindowSize.of(pty.fd());
    if (!now.equals(size)) {
      size = now;
      events.resized(now);
    }
  }

  /** Whether a program was seen to have the other end open, and not yet to have closed it. */
  boolean hasClient() {
    return loop.hasClient();
  }

  /** Its programs are terminals, for which a line feed is no new line. */
  @Override
  public boolean isRaw() {
    return true;
  }

  @Override
  public WindowSize size() {
    return size;
  }

  @Override
  public void close() {
    stop();
    loop.close();
    pty.close();
  }

  @Override
  public void handOver(Saved into) {
    stop();
    loop.close();
    into.put("pty", pty.leave());
    into.put("client", loop.hasClient());
    save(into);
  }
}
