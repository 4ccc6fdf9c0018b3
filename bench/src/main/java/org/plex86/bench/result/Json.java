// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** JSON text (RFC 8259) of maps, collections, strings, numbers and booleans. */
public final class Json {
  private Json() {}

  public static String of(Object value) {
    if (value instanceof Map<?, ?> map) {
      StringJoiner members = new StringJoiner(",", "{", "}");
      map.forEach((name, member) -> members.add(quoted(name.toString()) + ":" + of(member)));
      return members.toString();
    }
    if (value instanceof Collection<?> collection) {
      StringJoiner elements = new StringJoiner(",", "[", "]");
      collection.forEach(element -> elements.add(of(element)));
      return elements.toString();
    }
    if (value == null
        || value instanceof Boolean
        || value instanceof Integer
        || value instanceof Long) {
      return String.valueOf(value);
    }
    if (value instanceof Number number) {
      double real = number.doubleValue();
      // JSON has no NaN and no infinity.
      return Double.isFinite(real) ? Double.toString(real) : "null";
    }
    return quoted(value.toString());
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                json.append('\\').append((char) c);
              } else if (c < ' ') {
                json.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                json.append((char) c);
              }
            });
    return json.append('"').toString();
  }
}
