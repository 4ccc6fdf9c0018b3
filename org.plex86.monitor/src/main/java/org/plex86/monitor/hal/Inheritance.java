// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What channels of a slot have handed over and none has taken yet. It is the slot's: what is {@link
 * AutoCloseable} in it is closed when nobody wants it. For the slot's thread.
 *
 * <p>Only what the JDK's own class loaders have loaded is kept. An object of a driver's bundle
 * would keep its class loader, and so all of the old version, alive, and the next version could not
 * even cast it.
 */
final class Inheritance {
  private final SlotReport report;
  private final Map<String, Object> entries = new LinkedHashMap<>();

  Inheritance(SlotReport report) {
    this.report = report;
  }

  /**
   * Adds what a channel has handed over. Of two values of one key the later one counts; the other
   * is closed. Calls the driver's code if it handed over objects of its own classes.
   *
   * @param from the driver, for people
   * @param handed from a driver, so anything: null, keys that are no strings, foreign objects
   */
  void add(String from, Map<?, ?> handed) {
    if (handed == null) {
      report.error(from + " handed over null: an empty map is due", null);
      return;
    }
    for (Map.Entry<?, ?> entry : List.copyOf(handed.entrySet())) {
      String why = unfit(entry.getKey(), entry.getValue());
      if (why != null) {
        report.error("%s handed over what cannot be kept: %s".formatted(from, why), null);
        close(String.valueOf(entry.getKey()), entry.getValue());
        continue;
      }
      String key = (String) entry.getKey();
      Object before = entries.put(key, entry.getValue());
      if (before != null && before != entry.getValue()) {
        report.event("closed '%s', of which there is a later one".formatted(key));
        close(key, before);
      }
    }
  }

  private static String unfit(Object key, Object value) {
    if (!(key instanceof String)) {
      return "a key that is no string, of " + nameOf(key);
    }
    Class<?> foreign = ObjectGraph.of(value).foreign();
    return foreign == null
        ? null
        : "'%s' holds an object of %s, which is no class of the JDK"
            .formatted(key, nameOf(foreign));
  }

  private static String nameOf(Object object) {
    return object == null ? "null" : nameOf(object.getClass());
  }

  private static String nameOf(Class<?> type) {
    return type.getName();
  }

  /** A copy for a driver to take from. */
  Map<String, Object> offer() {
    return new LinkedHashMap<>(entries);
  }

  /** A driver has opened a channel and removed from its copy what it took, which is its own now. */
  void taken(Map<String, Object> left) {
    // a value that was put in the place of one that was there is the driver's, too
    entries.entrySet().removeIf(entry -> left.get(entry.getKey()) != entry.getValue());
  }

  /** Closes what is left, as no one is to take it. */
  void discard(String why) {
    List<String> keys = new ArrayList<>(entries.keySet());
    if (!keys.isEmpty()) {
      report.event("closed what was handed over, %s: %s".formatted(why, String.join(", ", keys)));
    }
    for (Iterator<Map.Entry<String, Object>> i = entries.entrySet().iterator(); i.hasNext(); ) {
      Map.Entry<String, Object> entry = i.next();
      String key = entry.getKey();
      Object value = entry.getValue();
      i.remove(); // first: whoever takes over from a thread that hangs here goes on with the others
      close(key, value);
    }
  }

  private void close(String key, Object value) {
    for (AutoCloseable closeable : ObjectGraph.of(value).closeables()) {
      try {
        closeable.close();
        // foreign code, which must not keep the others from being closed
      } catch (Exception | LinkageError e) {
        report.error("cannot close '%s', which was handed over".formatted(key), e);
      }
    }
  }
}
