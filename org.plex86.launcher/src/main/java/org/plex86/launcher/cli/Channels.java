// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The options {@code --console}, {@code --disk} and {@code --net} as channels. */
final class Channels {
  private static final Set<String> SWITCH = ordered("on", "off");
  private static final Pattern TCP = Pattern.compile("tcp:.*:[0-9]{1,5}");
  private static final Pattern FORWARD =
      Pattern.compile("(tcp|udp):[^:,;\\[\\]]*:([0-9]{1,5}):([0-9]{1,5})");

  private Channels() {}

  /**
   * The console channel.
   *
   * @param text the value of {@code --console}, or null where it is absent
   * @param exec the command to run in the guest, or null for an interactive console
   * @param quiet no boot messages
   */
  static ChannelSpec console(String text, String exec, boolean quiet) throws UsageException {
    Map<String, String> values = new LinkedHashMap<>();
    if (text != null || exec == null) {
      values.put("endpoint", endpoint(text == null ? "stdio" : text, exec != null));
    }
    if (exec != null) {
      values.put("exec", exec);
    }
    if (quiet) {
      values.put("quiet", "on");
    }
    return new ChannelSpec("console", "console0", values);
  }

  private static String endpoint(String text, boolean exec) throws UsageException {
    int colon = text.indexOf(':');
    String kind = colon < 0 ? text : text.substring(0, colon);
    String fault =
        switch (kind) {
          case "stdio" -> exec ? "stdio is taken by --exec" : colon < 0 ? "" : "unknown";
          case "pty", "null" -> colon < 0 ? "" : "unknown";
          case "file", "unix" ->
              colon < 0 || colon == text.length() - 1 ? kind + ": needs a path" : "";
          case "tcp" -> TCP.matcher(text).matches() ? "" : "'" + text + "' is no tcp:ADDRESS:PORT";
          default -> "unknown";
        };
    if (!fault.isEmpty()) {
      String what = fault.equals("unknown") ? "'" + text + "' is not known" : fault;
      throw new UsageException(
          "--console: "
              + what
              + "; give "
              + (exec ? "" : "stdio, ")
              + "pty, tcp:ADDRESS:PORT, unix:PATH, file:PATH or null");
    }
    return text;
  }

  /** A disk channel. */
  static ChannelSpec disk(String text, int index) throws UsageException {
    KeyValueList list =
        KeyValueList.parse(
            "--disk",
            KeyValueList.split(text),
            ordered("file", "format", "readonly", "overlay", "discard", "iops", "bps", "name"),
            Set.of());
    Map<String, String> values = new LinkedHashMap<>();
    values.put("file", list.require("file"));
    if (list.get("format", null) != null) {
      values.put("format", list.choose("format", ordered("raw", "qcow2"), null));
    }
    for (String key : List.of("readonly", "overlay", "discard")) {
      if (list.get(key, null) != null) {
        values.put(key, list.choose(key, SWITCH, null));
      }
    }
    for (String key : List.of("iops", "bps")) {
      if (list.get(key, null) != null) {
        values.put(key, list.get(key, null)); // checked by the driver, as its units are
      }
    }
    return new ChannelSpec("disk", Names.check("--disk", list.get("name", "disk" + index)), values);
  }

  /** A net channel. */
  static ChannelSpec net(String text, int index) throws UsageException {
    List<String> items = KeyValueList.split(text);
    String backend = items.get(0);
    String own =
        switch (backend) {
          case "user" -> "forward";
          case "tap" -> "ifname";
          case "switch" -> "name";
          default ->
              throw new UsageException(
                  "--net: '"
                      + backend
                      + "' is not known; give user, tap,ifname=I or switch,name=S");
        };
    KeyValueList list =
        KeyValueList.parse(
            "--net " + backend,
            items.subList(1, items.size()),
            ordered(own, "mac", "mtu"),
            Set.of("forward"));
    Map<String, String> values = new LinkedHashMap<>();
    values.put("backend", backend);
    switch (backend) {
      case "user" -> putForwards(list.all(own), values);
      case "tap" -> values.put("ifname", list.require(own));
      default -> values.put("switch", list.require(own));
    }
    for (String key : List.of("mac", "mtu")) {
      String value = list.get(key, null);
      if (value != null) {
        values.put(key, value);
      }
    }
    return new ChannelSpec("net", "net" + index, values);
  }

  /** The driver takes one key with all forwards: a key of a channel is there once. */
  private static void putForwards(List<String> forwards, Map<String, String> values)
      throws UsageException {
    for (String forward : forwards) {
      checkForward(forward);
    }
    if (!forwards.isEmpty()) {
      values.put("forward", String.join(";", forwards));
    }
  }

  private static void checkForward(String forward) throws UsageException {
    var m = FORWARD.matcher(forward);
    if (!m.matches() || !isPort(m.group(2)) || !isPort(m.group(3))) {
      throw new UsageException(
          "--net user: forward=" + forward + " is not known; give forward=tcp:ADDR:PORT:GUESTPORT");
    }
  }

  private static boolean isPort(String text) {
    int port = Integer.parseInt(text);
    return port >= 1 && port <= 65535;
  }

  private static Set<String> ordered(String... values) {
    return new LinkedHashSet<>(Arrays.asList(values));
  }
}
