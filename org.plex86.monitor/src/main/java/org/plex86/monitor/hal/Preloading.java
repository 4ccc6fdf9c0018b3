// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.Collection;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads and links the classes of a driver's bundle before a slot opens it. A JVM loads a class when
 * it is needed first, so the guest would wait for all of a new version's (20 ms and more for a
 * driver of 40 classes) between the old driver's end and its own start.
 */
final class Preloading {
  /** A bundle with more has libraries in it, of which the driver needs a part. */
  private static final int CLASSES_MAX = 500;

  private static final Logger LOG = LoggerFactory.getLogger(Preloading.class);

  private Preloading() {}

  /** Loads what there is; whoever needs a class that cannot be loaded says so. */
  static void of(Bundle bundle) {
    BundleWiring wiring = bundle.adapt(BundleWiring.class);
    if (wiring == null) {
      return; // uninstalled meanwhile
    }
    Collection<String> files =
        wiring.listResources(
            "/", "*.class", BundleWiring.LISTRESOURCES_RECURSE | BundleWiring.LISTRESOURCES_LOCAL);
    int methods =
        files.stream()
            .filter(file -> !file.startsWith("META-INF/"))
            .limit(CLASSES_MAX)
            .mapToInt(file -> link(bundle, file))
            .sum();
    LOG.debug("{} methods of {} are ready to be called", methods, bundle);
  }

  private static int link(Bundle bundle, String file) {
    String name = file.substring(0, file.length() - ".class".length()).replace('/', '.');
    try {
      // to list methods, the JVM links the class: verifies it, but does not initialise it
      return bundle.loadClass(name).getDeclaredMethods().length;
    } catch (ClassNotFoundException | LinkageError | IllegalStateException e) {
      return 0; // of an optional import, or the bundle is stopped again: nothing that is needed now
    }
  }
}
