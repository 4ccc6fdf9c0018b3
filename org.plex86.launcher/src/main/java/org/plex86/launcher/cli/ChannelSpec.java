// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/**
 * A HAL channel that the user asked for.
 *
 * @param type the type of driver that it needs, such as {@code disk}
 * @param name unique in the virtual machine
 * @param values what the driver is told, in order
 */
public record ChannelSpec(String type, String name, Map<String, String> values) {
  /** Keeps a copy of the values in their order. */
  public ChannelSpec {
    values = new LinkedHashMap<>(values);
  }

  /**
   * The form that the monitor's property {@code channels} takes: {@code type=…,name=…,key=value}.
   */
  public String toProperty() {
    StringJoiner text = new StringJoiner(",");
    text.add("type=" + escape(type)).add("name=" + escape(name));
    values.forEach((key, value) -> text.add(key + "=" + escape(value)));
    return text.toString();
  }

  private static String escape(String value) {
    return value.replace("\\", "\\\\").replace(",", "\\,");
  }
}
