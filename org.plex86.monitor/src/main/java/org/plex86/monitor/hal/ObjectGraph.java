// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The objects that can be reached from one through arrays, collections, maps and optionals of the
 * JDK, cycles included. What other objects hold in their fields is not seen.
 */
final class ObjectGraph {
  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private Class<?> foreign;

  private ObjectGraph() {}

  /** The graph below and including an object; null has an empty one. */
  static ObjectGraph of(Object root) {
    ObjectGraph graph = new ObjectGraph();
    graph.walk(root);
    return graph;
  }

  /** A class of an object that the JDK's class loaders have not loaded; null if there is none. */
  Class<?> foreign() {
    return foreign;
  }

  /** What can be closed, in the order in which it was met. */
  List<AutoCloseable> closeables() {
    return closeables;
  }

  private void walk(Object root) {
    Deque<Object> open = new ArrayDeque<>();
    meet(root, open);
    while (!open.isEmpty()) {
      Object object = open.removeFirst();
      if (object instanceof AutoCloseable closeable) {
        closeables.add(closeable);
      }
      // what a foreign class says of its elements is not asked for
      if (isOfTheJdk(object.getClass())) {
        meetElements(object, open);
      } else if (foreign == null) {
        foreign = object.getClass();
      }
    }
  }

  private void meetElements(Object object, Deque<Object> open) {
    if (object instanceof Object[] array) {
      for (Object element : array) {
        meet(element, open);
      }
    } else if (object instanceof Map<?, ?> map) {
      map.forEach(
          (key, value) -> {
            meet(key, open);
            meet(value, open);
          });
    } else if (object instanceof Iterable<?> all && !(object instanceof java.nio.file.Path)) {
      all.forEach(element -> meet(element, open)); // a path is made of paths without end
    } else if (object instanceof Optional<?> optional) {
      meet(optional.orElse(null), open);
    }
  }

  private void meet(Object object, Deque<Object> open) {
    if (object != null && seen.add(object)) {
      open.addLast(object);
    }
  }

  private static boolean isOfTheJdk(Class<?> type) {
    // for an array this is the loader of its elements
    ClassLoader loader = type.getClassLoader();
    return loader == null || loader == ClassLoader.getPlatformClassLoader();
  }
}
