// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What the user chooses of user-mode networking.
 *
 * @param forwards in the form of {@link org.plex86.hal.net.user.forward.Forward#parse}
 * @param resolvConf where the host's resolvers are named
 * @param dnsPort the port of the resolvers
 */
public record UserNetConfig(List<String> forwards, Path resolvConf, int dnsPort) {
  /** From the options of a channel. */
  static UserNetConfig of(Map<String, String> options) {
    List<String> forwards =
        Arrays.stream(options.getOrDefault("forward", "").split(";", -1))
            .map(String::strip)
            .filter(text -> !text.isEmpty())
            .toList();
    return new UserNetConfig(forwards, Path.of("/etc/resolv.conf"), 53);
  }
}
