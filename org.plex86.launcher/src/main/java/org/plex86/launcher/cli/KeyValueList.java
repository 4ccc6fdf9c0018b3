// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A comma-separated list of {@code key=value}; a comma in a value is written {@code \,}. */
final class KeyValueList {
  private final String option;
  private final Map<String, List<String>> values = new LinkedHashMap<>();

  private KeyValueList(String option) {
    this.option = option;
  }

  /**
   * Parses a list.
   *
   * @param option the option that it belongs to, for error messages
   * @param items the parts between the commas
   * @param known the keys that may be there
   * @param repeatable those of them that may be there more than once
   */
  static KeyValueList parse(
      String option, List<String> items, Set<String> known, Set<String> repeatable)
      throws UsageException {
    KeyValueList list = new KeyValueList(option);
    for (String item : items) {
      int eq = item.indexOf('=');
      String key = eq < 0 ? item : item.substring(0, eq);
      if (!known.contains(key)) {
        throw new UsageException(
            option + ": unknown key '" + key + "'; known are " + String.join(", ", known));
      }
      if (eq < 0 || eq == item.length() - 1) {
        throw new UsageException(option + ": '" + key + "' has no value; give " + key + "=VALUE");
      }
      List<String> all = list.values.computeIfAbsent(key, k -> new ArrayList<>());
      if (!all.isEmpty() && !repeatable.contains(key)) {
        throw new UsageException(option + ": '" + key + "' is there twice; give it once");
      }
      all.add(item.substring(eq + 1));
    }
    return list;
  }

  /** Splits at commas; {@code \,} and {@code \\} stand for a comma and a backslash. */
  static List<String> split(String text) {
    List<String> items = new ArrayList<>();
    StringBuilder item = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      char next = i + 1 < text.length() ? text.charAt(i + 1) : 0;
      if (c == '\\' && (next == ',' || next == '\\')) {
        item.append(next);
        i++;
      } else if (c == ',') {
        items.add(item.toString());
        item.setLength(0);
      } else {
        item.append(c);
      }
    }
    items.add(item.toString());
    return items;
  }

  /** The value of a key that must be there. */
  String require(String key) throws UsageException {
    String value = get(key, null);
    if (value == null) {
      throw new UsageException(option + ": '" + key + "' is missing; give " + key + "=VALUE");
    }
    return value;
  }

  /** The value of a key, or the default where it is absent. */
  String get(String key, String defaultValue) {
    List<String> all = values.get(key);
    return all == null ? defaultValue : all.get(0);
  }

  /** The value of a key that takes one of a few values. */
  String choose(String key, Set<String> allowed, String defaultValue) throws UsageException {
    String value = get(key, defaultValue);
    if (!allowed.contains(value)) {
      throw new UsageException(
          option
              + ": "
              + key
              + "="
              + value
              + " is not known; give "
              + String.join(" or ", allowed));
    }
    return value;
  }

  /** All values of a key, in order. */
  List<String> all(String key) {
    return List.copyOf(values.getOrDefault(key, List.of()));
  }
}
