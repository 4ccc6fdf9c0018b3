// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.tool;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.image.Sizes;

/** What is to be told of an image, for people and for programs. */
final class Info {
  private Info() {}

  static String of(DiskImage image, Path file, boolean json) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("file", file.toString());
    values.put("format", image.format());
    values.put("size", Long.toString(image.size()));
    values.put("file-size", Long.toString(image.files().get(0).size()));
    values.put("allocated", Long.toString(image.files().get(0).allocated()));
    values.putAll(image.details());
    return json ? json(values) : text(values);
  }

  private static String text(Map<String, String> values) {
    StringJoiner lines = new StringJoiner("\n");
    values.forEach(
        (key, value) ->
            lines.add(
                "%-15s %s"
                    .formatted(
                        key,
                        key.endsWith("size") || key.equals("allocated")
                            ? Sizes.text(Long.parseLong(value)) + " (" + value + " bytes)"
                            : value.replaceAll("\\p{Cntrl}", "?"))));
    return lines.toString();
  }

  private static String json(Map<String, String> values) {
    StringJoiner members = new StringJoiner(", ", "{", "}");
    values.forEach(
        (key, value) ->
            members.add(quote(key) + ": " + (isNumber(key, value) ? value : quote(value))));
    return members.toString();
  }

  private static boolean isNumber(String key, String value) {
    return !key.endsWith("file") && !key.endsWith("format") && value.matches("[0-9]+");
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c == 0x7f) {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
