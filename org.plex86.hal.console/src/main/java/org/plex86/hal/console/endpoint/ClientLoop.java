// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.terminal.WindowSize;

/** Moves bytes between a console's client and two buffers, on a thread of its own. */
abstract class ClientLoop implements Runnable {
  /** What happens. Called on the loop's thread. */
  interface Events {
    /** A client is there; {@link #admit} is to be called when the output is ready for it. */
    void connected();

    void inputReady();

    /** Bytes were written, or dropped with their client. */
    void wrote();

    /** There is room for output again that there was none for. */
    void outputReady();

    void resized(WindowSize size);

    /** The loop ends. */
    void failed(IOException cause);
  }

  final ByteRing input;
  final ByteRing output;
  final Events events;
  private volatile boolean admitted;
  private volatile boolean starved;
  private volatile boolean stopping;

  ClientLoop(ByteRing input, ByteRing output, Events events) {
    this.input = input;
    this.output = output;
    this.events = events;
  }

  /** Waits until there is something to do, or {@link #wake} was called. */
  abstract void await() throws IOException;

  /** Does what there is to do. */
  abstract void serve() throws IOException;

  /** There are bytes, or there is room. Any thread. */
  abstract void wake();

  /** Whether output is for a client. Any thread. */
  final boolean hasClient() {
    return admitted;
  }

  /** From now on output is for the client. */
  final void admit() {
    admitted = true;
  }

  /** Whether output did not fit. Any thread. */
  final void starved(boolean now) {
    starved |= now;
  }

  /** The loop ends soon. Any thread. */
  final void stop() {
    stopping = true;
    wake();
  }

  @Override
  public final void run() {
    try {
      while (!stopping) {
        await();
        if (!stopping) {
          serve();
        }
      }
    } catch (IOException e) {
      events.failed(e);
    }
  }

  /** Output was offered to the client. */
  final void sent(boolean some) {
    if (some) {
      events.wrote();
    }
    if (starved && output.free() >= output.capacity() / 2) {
      starved = false;
      events.outputReady();
    }
  }

  /** The client is gone, and what was for it. */
  final void left() {
    dismiss();
    output.clear();
    starved = false;
    events.wrote();
    events.outputReady(); // a guest that waited for this client waits no more
  }

  /** From now on output is for nobody. */
  final void dismiss() {
    admitted = false;
  }
}
