// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.nio.file.Path;
import java.util.Map;

/** The folder that holds what can be made again; the {@code plex86} script uses the same. */
public final class Cache {
  private Cache() {}

  /** The folder that the environment names. It need not exist yet. */
  public static Path folder(Map<String, String> environment) {
    String own = environment.getOrDefault("PLEX86_CACHE", "");
    if (!own.isEmpty()) {
      return Path.of(own).toAbsolutePath();
    }
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    if (!xdg.isEmpty()) {
      return Path.of(xdg, "plex86").toAbsolutePath();
    }
    String home = environment.getOrDefault("HOME", System.getProperty("user.home"));
    return Path.of(home, ".cache", "plex86").toAbsolutePath();
  }
}
