// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.driver;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Set;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.endpoint.Endpoint;
import org.plex86.hal.console.endpoint.NullEndpoint;
import org.plex86.hal.console.endpoint.OutputEndpoint;
import org.plex86.hal.console.endpoint.StdioEndpoint;
import org.plex86.hal.console.terminal.EscapeRegistry;

/**
 * What the user asked a console to be.
 *
 * @param endpoint {@code stdio}, {@code null} or {@code file:PATH}
 * @param exec the command to run in the guest; null: none
 * @param quiet hides what the guest prints before its own driver is up, and with a command all that
 *     it prints on the console
 */
record ConsoleOptions(String endpoint, String exec, boolean quiet) {
  private static final String ENDPOINT = "endpoint";
  private static final String EXEC = "exec";
  private static final String QUIET = "quiet";
  private static final String FILE = "file:";

  static ConsoleOptions of(ChannelConfig config) throws HalException {
    config.requireKnown(Set.of(ENDPOINT, EXEC, QUIET));
    return new ConsoleOptions(
        config.get(ENDPOINT, "stdio"), config.get(EXEC, null), config.getSwitch(QUIET, false));
  }

  Endpoint open(ChannelContext context, EscapeRegistry escapes) throws HalException {
    if (endpoint.equals("null") || (endpoint.equals("stdio") && exec != null && quiet)) {
      return new NullEndpoint();
    }
    if (endpoint.equals("stdio")) {
      // Standard input and output are the command's where there is one.
      return exec != null
          ? OutputEndpoint.stderr()
          : new StdioEndpoint(context.vmName(), context.channelName(), escapes);
    }
    if (endpoint.startsWith(FILE) && endpoint.length() > FILE.length()) {
      return OutputEndpoint.file(path(endpoint.substring(FILE.length())));
    }
    throw new HalException(
        "the console cannot go to '" + endpoint + "': give stdio, null or file:PATH");
  }

  private static Path path(String text) throws HalException {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new HalException("'" + text + "' is no path: " + e.getReason(), e);
    }
  }
}
