// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.util.function.Consumer;
import org.plex86.monitor.control.ControlMemory;

/** Passes on what the guest prints before its console driver is up. One thread. */
final class EarlyConsole {
  private final ControlMemory control;
  private final Consumer<byte[]> console;
  private int tail;

  EarlyConsole(ControlMemory control, Consumer<byte[]> console) {
    this.control = control;
    this.console = console;
  }

  /** Passes on what has come since the last time. */
  void drain() {
    int head = control.logHead();
    if (head != tail) {
      byte[] text = control.log(tail, head);
      tail = head;
      console.accept(text);
    }
  }
}
