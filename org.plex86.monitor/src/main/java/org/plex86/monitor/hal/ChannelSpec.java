// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.LinkedHashMap;
import java.util.Map;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;

/**
 * A channel as the user asked for it.
 *
 * @param type the type of its driver, such as {@code console}
 * @param name its name, unique in its virtual machine; empty where the user gave none
 * @param driver the bundle that must provide the driver, {@code symbolic.name} or {@code
 *     symbolic.name:version}; empty for any
 * @param park what happens while there is no driver
 * @param config all other keys
 */
public record ChannelSpec(
    String type, String name, String driver, ParkPolicy park, ChannelConfig config) {

  /**
   * Parses {@code type=console,name=console0,key=value}. A backslash takes the special meaning from
   * the character that follows it. The keys {@code type}, {@code name}, {@code driver} and {@code
   * park} are the slot's, all others the driver's.
   *
   * @throws HalException the text has not that form, or a key twice, or no type
   */
  public static ChannelSpec parse(String text) throws HalException {
    Map<String, String> keys = split(text);
    String type = keys.remove("type");
    if (type == null || type.isEmpty()) {
      throw new HalException("channel '" + text + "' has no type: begin with type=console, say");
    }
    String name = orEmpty(keys.remove("name"));
    if (!name.matches("[A-Za-z0-9._-]{0,64}")) {
      throw new HalException("channel name '" + name + "': use up to 64 letters, digits, . _ -");
    }
    String driver = orEmpty(keys.remove("driver"));
    String park = keys.remove("park");
    return new ChannelSpec(
        type,
        name,
        driver,
        park == null ? ParkPolicy.WAIT : ParkPolicy.parse(park),
        new ChannelConfigImpl(keys));
  }

  /** The same channel by another name. */
  public ChannelSpec withName(String newName) {
    return new ChannelSpec(type, newName, driver, park, config);
  }

  private static String orEmpty(String value) {
    return value == null ? "" : value;
  }

  private static Map<String, String> split(String text) throws HalException {
    Map<String, String> keys = new LinkedHashMap<>();
    StringBuilder part = new StringBuilder();
    String key = null;
    for (int i = 0; i <= text.length(); i++) {
      char c = i == text.length() ? ',' : text.charAt(i);
      boolean end = i == text.length();
      if (c == '\\' && !end) {
        if (++i == text.length()) {
          throw new HalException("channel '" + text + "' ends in a single backslash");
        }
        part.append(text.charAt(i));
      } else if (c == '=' && key == null) {
        key = part.toString();
        part.setLength(0);
      } else if (c == ',') {
        put(text, keys, key, part.toString());
        key = null;
        part.setLength(0);
      } else {
        part.append(c);
      }
    }
    return keys;
  }

  private static void put(String text, Map<String, String> keys, String key, String value)
      throws HalException {
    if (key == null) {
      throw new HalException(
          value.isEmpty()
              ? "channel '" + text + "' has an empty part: write key=value,key=value"
              : "channel '" + text + "': '" + value + "' is no key=value");
    }
    if (keys.put(key, value) != null) {
      throw new HalException("channel '" + text + "' has the key '" + key + "' twice");
    }
  }
}
