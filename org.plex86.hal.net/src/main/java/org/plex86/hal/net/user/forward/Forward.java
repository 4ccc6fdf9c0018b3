// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.forward;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.hal.api.HalException;

/**
 * A port of the host that leads to one of the guest.
 *
 * @param tcp true for TCP, false for UDP
 * @param address where the host listens
 * @param guestPort 1 to 65535
 */
public record Forward(boolean tcp, InetSocketAddress address, int guestPort) {
  private static final Pattern FORM =
      Pattern.compile("(tcp|udp):([0-9.]*|\\[[0-9a-fA-F:.]+]):([0-9]{1,5}):([0-9]{1,5})");
  private static final String HELP =
      "is no forward; use tcp:ADDRESS:PORT:GUESTPORT or udp:…, such as tcp::2222:22"
          + " (no address means 127.0.0.1, one of IPv6 is in brackets)";

  /** Reads one, such as {@code tcp::2222:22}. */
  public static Forward parse(String text) throws HalException {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new HalException("'" + text + "' " + HELP);
    }
    String host = parts.group(2).isEmpty() ? "127.0.0.1" : parts.group(2);
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new HalException("'" + text + "' " + HELP, e);
    }
    boolean dotted = host.startsWith("[") || host.matches("[0-9]+(\\.[0-9]+){3}");
    if (!dotted) {
      throw new HalException("'" + text + "' " + HELP);
    }
    return new Forward(
        parts.group(1).equals("tcp"),
        new InetSocketAddress(address, port(text, parts.group(3), 0)),
        port(text, parts.group(4), 1));
  }

  private static int port(String text, String digits, int least) throws HalException {
    int port = Integer.parseInt(digits);
    if (port < least || port > 65_535) {
      throw new HalException("'" + text + "': " + port + " is no port; use " + least + " to 65535");
    }
    return port;
  }

  @Override
  public String toString() {
    String host = address.getAddress().getHostAddress();
    return (tcp ? "tcp:" : "udp:")
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + address.getPort()
        + ":"
        + guestPort;
  }
}
