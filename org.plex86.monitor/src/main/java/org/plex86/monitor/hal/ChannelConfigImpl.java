// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;

/** The keys of a channel that are its driver's. */
final class ChannelConfigImpl implements ChannelConfig {
  private final Map<String, String> values;

  ChannelConfigImpl(Map<String, String> values) {
    this.values = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  @Override
  public Map<String, String> values() {
    return values;
  }

  @Override
  public String get(String key, String defaultValue) {
    return values.getOrDefault(key, defaultValue);
  }

  @Override
  public boolean getSwitch(String key, boolean defaultValue) throws HalException {
    String value = values.get(key);
    if (value == null) {
      return defaultValue;
    }
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw new HalException(key + "=" + value + ": give on or off");
    };
  }

  @Override
  public void requireKnown(Set<String> known) throws HalException {
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        throw new HalException(
            "unknown key '" + key + "'; known are " + String.join(", ", new TreeSet<>(known)));
      }
    }
  }
}
