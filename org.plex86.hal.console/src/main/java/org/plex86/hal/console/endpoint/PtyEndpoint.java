// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.BaseStream;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.WindowSize;

/**
 * A console on a pseudo-terminal of its own, which programs such as screen open by its path. While
 * nobody has it open the guest's output goes to nobody and the guest does not wait; who opens it is
 * first given the last {@link SocketEndpoint#RECENT} bytes. Who reads slowly has the guest wait.
 */
public final class PtyEndpoint extends ClientEndpoint {
  private static final String PTY = "pty";

  private final Consumer<Path> made;
  private Pty pty;
  private PtyLoop loop;

  /**
   * Not opened yet.
   *
   * @param made is told the path of the pseudo-terminal when one was made
   */
  public PtyEndpoint(Consumer<Path> made) {
    this.made = made;
  }

  @Override
  public void open(Listener events, Saved saved) throws HalException {
    setListener(events);
    boolean inherits = saved.has(PTY);
    try {
      pty = inherits ? Pty.adopt(saved.peek(PTY, BaseStream.class)) : Pty.make();
      loop = new PtyLoop(pty, input, output, events());
    } catch (IOException e) {
      if (pty != null && !inherits) {
        pty.close();
      }
      throw new HalException("the console cannot have a pseudo-terminal: " + e.getMessage(), e);
    }
    resume(saved);
    if (!inherits) {
      made.accept(pty.path());
    }
    start(loop, "plex86-console-pty");
  }

  /** Nothing can fail any more. */
  private void resume(Saved saved) {
    saved.take(PTY, BaseStream.class);
    restore(saved);
    if (saved.takeFlag("client")) {
      loop.admit();
    }
  }

  @Override
  public boolean isRaw() {
    return true;
  }

  @Override
  public WindowSize size() {
    return loop.hasClient() ? pty.size() : WindowSize.UNKNOWN;
  }

  /** Whether the loop has ended: nobody uses the descriptor any more. */
  private boolean stop() {
    if (!stopLoop()) {
      return false;
    }
    loop.close();
    return true;
  }

  @Override
  public void close() {
    if (stop()) {
      pty.close();
    }
  }

  /** Who has it open keeps it. */
  @Override
  public void handOver(Saved into) {
    stop();
    into.put(PTY, pty.leave());
    into.put("client", loop.hasClient());
    save(into);
  }

  @Override
  void failed(IOException cause) {
    listener().failed("the console's pseudo-terminal works no more", cause);
  }
}
