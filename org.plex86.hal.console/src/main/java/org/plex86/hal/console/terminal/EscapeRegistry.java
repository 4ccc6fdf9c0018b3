// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.plex86.hal.console.EscapeHandler;

/** The keys that other bundles have registered actions for. Any thread. */
public final class EscapeRegistry {
  private record Entry(char key, String help, int ranking, EscapeHandler handler) {}

  private final List<Entry> entries = new CopyOnWriteArrayList<>();

  /** Adds a handler by its service properties. A handler without a key is never called. */
  public void add(EscapeHandler handler, Map<String, ?> properties) {
    if (properties.get(EscapeHandler.KEY) instanceof String key && key.length() == 1) {
      String help = properties.get(EscapeHandler.HELP) instanceof String text ? text : "";
      int ranking = properties.get("service.ranking") instanceof Integer value ? value : 0;
      entries.add(new Entry(key.charAt(0), help, ranking, handler));
    }
  }

  public void remove(EscapeHandler handler) {
    entries.removeIf(entry -> entry.handler() == handler);
  }

  Optional<EscapeHandler> find(char key) {
    return entries.stream()
        .filter(entry -> entry.key() == key)
        .max(Comparator.comparingInt(Entry::ranking))
        .map(Entry::handler);
  }

  /** What the keys do, a line each. */
  List<String> help() {
    Map<Character, String> lines = new TreeMap<>();
    entries.stream()
        .sorted(Comparator.comparingInt(Entry::ranking))
        .forEach(entry -> lines.put(entry.key(), "Ctrl-A " + entry.key() + "  " + entry.help()));
    return List.copyOf(lines.values());
  }
}
