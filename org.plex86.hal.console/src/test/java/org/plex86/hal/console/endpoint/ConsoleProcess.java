// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.util.HashMap;
import org.plex86.hal.console.io.Saved;
import org.plex86.hal.console.terminal.EscapeRegistry;
import org.plex86.hal.console.terminal.WindowSize;

/** A process with a console on its standard input and output, until it is killed. */
final class ConsoleProcess {
  private ConsoleProcess() {}

  public static void main(String[] args) throws Exception {
    new StdioEndpoint("vm1", "console0", new EscapeRegistry())
        .open(
            new Endpoint.Listener() {
              @Override
              public void inputReady() {}

              @Override
              public void outputReady() {}

              @Override
              public void resized(WindowSize size) {}

              @Override
              public void gone(String why, int status) {}

              @Override
              public void failed(String what, IOException cause) {}
            },
            Saved.in(new HashMap<>()));
    Thread.sleep(60_000);
  }
}
