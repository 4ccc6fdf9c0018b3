// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.terminal;

import java.util.HashMap;
import java.util.Map;

/**
 * The threads that handlers of keys run on, one at most for each key. A press is of no effect while
 * the key's handler runs, but for one that is finishing: its next call follows when it has
 * returned.
 */
final class HandlerThreads {
  private static final class Running {
    final Thread thread;
    boolean finishing;
    Runnable next;

    Running(Thread thread) {
      this.thread = thread;
    }
  }

  private final Map<Character, Running> running = new HashMap<>();

  synchronized void press(char key, Runnable handler) {
    Running current = running.get(key);
    if (current == null) {
      start(key, handler);
    } else if (current.finishing) {
      current.next = handler;
    }
  }

  /** The handler of a key has given the terminal back: what is left for it to do is to return. */
  synchronized void finishing(char key) {
    Running current = running.get(key);
    if (current != null) {
      current.finishing = true;
    }
  }

  synchronized void interrupt(char key) {
    Running current = running.get(key);
    if (current != null) {
      current.thread.interrupt();
    }
  }

  private void start(char key, Runnable handler) {
    Thread thread =
        new Thread(
            () -> {
              try {
                handler.run();
              } finally {
                ended(key);
              }
            },
            "plex86-key-" + key);
    thread.setDaemon(true);
    running.put(key, new Running(thread));
    thread.start();
  }

  private synchronized void ended(char key) {
    Running last = running.remove(key);
    if (last.next != null) {
      start(key, last.next);
    }
  }
}
