// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.driver;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.user.UserNet;

/**
 * What the user asked a network card to be.
 *
 * @param backend what it is plugged into
 * @param target the interface or the switch; empty for user mode
 * @param own the keys that are the backend's own
 * @param mac its address as text; null: one made of its name
 * @param mtu bytes of the largest IP packet
 */
record NetOptions(Kind backend, String target, Map<String, String> own, String mac, int mtu) {
  /** What a card can be plugged into. */
  enum Kind {
    USER,
    TAP,
    SWITCH;

    /** The keys that are its own. */
    private Set<String> own() {
      return switch (this) {
        case USER -> UserNet.KEYS;
        case TAP -> Set.of("ifname");
        case SWITCH -> Set.of("switch");
      };
    }

    String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String BACKEND = "backend";
  private static final String MAC = "mac";
  private static final String MTU = "mtu";
  private static final int MTU_DEFAULT = 1500;

  /** What IPv4 asks of a link (RFC 791), and virtio of a driver (section 5.1.4.1). */
  private static final int MTU_MIN = 68;

  private static final int MTU_MAX = 65_535;

  static NetOptions of(ChannelConfig config) throws HalException {
    Kind kind = kind(config.get(BACKEND, Kind.USER.key()));
    Set<String> known = new HashSet<>(kind.own());
    known.addAll(List.of(BACKEND, MAC, MTU));
    config.requireKnown(known);
    Map<String, String> own = new HashMap<>(config.values());
    own.keySet().retainAll(kind.own());
    String mac = config.get(MAC, null);
    if (mac != null) {
      MacAddress.parse(mac);
    }
    return new NetOptions(
        kind, target(kind, config), own, mac, mtu(config.get(MTU, Integer.toString(MTU_DEFAULT))));
  }

  private static String target(Kind kind, ChannelConfig config) throws HalException {
    if (kind == Kind.USER) {
      return "";
    }
    String key = kind.own().iterator().next();
    String target = config.get(key, "");
    if (target.isEmpty()) {
      throw new HalException(
          "net '" + kind.key() + "' needs the key '" + key + "'; give " + key + "=NAME");
    }
    return target;
  }

  private static Kind kind(String text) throws HalException {
    for (Kind kind : Kind.values()) {
      if (kind.key().equals(text)) {
        return kind;
      }
    }
    throw new HalException("net '" + text + "' is not known; give backend=user, tap or switch");
  }

  private static int mtu(String text) throws HalException {
    int mtu = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : -1;
    if (mtu < MTU_MIN || mtu > MTU_MAX) {
      throw new HalException(
          "mtu=" + text + " is out of range; give " + MTU_MIN + " to " + MTU_MAX);
    }
    return mtu;
  }
}
