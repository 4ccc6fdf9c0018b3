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
import org.plex86.hal.console.endpoint.PtyEndpoint;
import org.plex86.hal.console.endpoint.SocketEndpoint;
import org.plex86.hal.console.endpoint.StdioEndpoint;
import org.plex86.hal.console.terminal.EscapeRegistry;

/**
 * What the user asked a console to be.
 *
 * @param endpoint {@code stdio}, {@code pty}, {@code null}, {@code file:PATH}, {@code unix:PATH} or
 *     {@code tcp:ADDRESS:PORT}
 * @param exec the command to run in the guest; null: none
 * @param quiet hides what the guest prints before its own driver is up, and with a command all that
 *     it prints on the console
 */
record ConsoleOptions(String endpoint, String exec, boolean quiet) {
  private static final String ENDPOINT = "endpoint";
  private static final String EXEC = "exec";
  private static final String QUIET = "quiet";
  private static final String FILE = "file:";
  private static final String UNIX = "unix:";
  private static final String TCP = "tcp:";
  private static final int PORT_MAX = 65_535;

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
    if (endpoint.equals("pty")) {
      return new PtyEndpoint(path -> tellPath(context, path));
    }
    if (endpoint.startsWith(FILE) && endpoint.length() > FILE.length()) {
      return OutputEndpoint.file(path(endpoint.substring(FILE.length())));
    }
    if (endpoint.startsWith(UNIX) && endpoint.length() > UNIX.length()) {
      return SocketEndpoint.unix(path(endpoint.substring(UNIX.length())));
    }
    if (endpoint.startsWith(TCP)) {
      return tcp(endpoint.substring(TCP.length()));
    }
    throw new HalException(
        "the console cannot go to '"
            + endpoint
            + "': give stdio, pty, null, file:PATH, unix:PATH or tcp:ADDRESS:PORT");
  }

  /** Not by the log: whatever its level, nobody could use a terminal whose name is not told. */
  private static void tellPath(ChannelContext context, Path path) {
    System.err.printf("plex86: %s of %s is %s%n", context.channelName(), context.vmName(), path);
  }

  private static Endpoint tcp(String text) throws HalException {
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    if (colon < 0 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > PORT_MAX) {
      throw new HalException("'tcp:" + text + "' is no tcp:ADDRESS:PORT, with a port to 65535");
    }
    return SocketEndpoint.tcp(
        text.substring(0, colon).replaceAll("^\\[(.*)]$", "$1"), Integer.parseInt(port));
  }

  private static Path path(String text) throws HalException {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new HalException("'" + text + "' is no path: " + e.getReason(), e);
    }
  }
}
