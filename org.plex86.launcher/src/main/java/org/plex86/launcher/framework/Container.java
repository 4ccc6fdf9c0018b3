// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.launch.Framework;

/** A running OSGi framework with the product's bundles. */
public final class Container implements AutoCloseable {
  private static final long STOP_TIMEOUT_MS = 10_000;

  private final Storage storage;
  private final Framework framework;

  /** Null where no folder is followed. */
  private final FolderLog log;

  private final Map<Bundle, StoredBundle.When> bundles = new LinkedHashMap<>();
  private boolean closed;

  private Container(Storage storage, Framework framework, FolderLog log) {
    this.storage = storage;
    this.framework = framework;
    this.log = log;
  }

  /**
   * Makes a framework and installs the bundles; starts none of them.
   *
   * @param cache the project's cache folder
   * @param stored the bundles, in the order of their start
   * @param watched a folder to install further bundles from and to follow, or null
   * @param properties further properties of the framework
   */
  public static Container create(
      Path cache, List<StoredBundle> stored, Path watched, Map<String, String> properties)
      throws IOException, BundleException {
    Storage storage = Storage.create(cache);
    Map<String, String> config = new HashMap<>(properties);
    config.put("org.osgi.framework.storage", storage.folder().resolve("felix").toString());
    // the folder is this process's own
    config.put("felix.cache.locking", "false");
    config.put("felix.log.level", "1");
    if (watched != null) {
      config.put("felix.fileinstall.dir", watched.toString());
      config.put("felix.fileinstall.noInitialDelay", "true");
      config.put("felix.fileinstall.poll", "500");
      // warnings are what it says of bundles that are none, or cannot be started
      config.put("felix.fileinstall.log.level", "2");
      config.put("felix.fileinstall.log.default", "jul");
      config.put("felix.fileinstall.tmpdir", storage.folder().resolve("fileinstall").toString());
    }
    Framework framework = new FrameworkFactory().newFramework(config);
    Container container =
        new Container(storage, framework, watched == null ? null : new FolderLog(System.err));
    try {
      container.install(stored, watched != null);
    } catch (BundleException e) {
      container.close();
      throw e;
    }
    return container;
  }

  private void install(List<StoredBundle> stored, boolean watch) throws BundleException {
    framework.init();
    for (StoredBundle bundle : stored) {
      if (bundle.when() != StoredBundle.When.watch || watch) {
        // 'reference:' opens the file where it is; the default is to copy it into the storage
        Bundle installed =
            framework.getBundleContext().installBundle("reference:" + bundle.file().toUri());
        bundles.put(installed, bundle.when());
      }
    }
    framework.start();
  }

  /** The context of the framework itself, for services that come from outside of all bundles. */
  public BundleContext context() {
    return framework.getBundleContext();
  }

  /** Starts what the virtual machine needs, in order. */
  public void start() throws BundleException {
    startThose(EnumSet.of(StoredBundle.When.start, StoredBundle.When.watch));
  }

  /** Starts the rest, and removes what killed processes left in the cache. */
  public void startRest() throws BundleException, IOException {
    startThose(EnumSet.of(StoredBundle.When.later));
    storage.removeAbandoned();
  }

  private void startThose(Set<StoredBundle.When> when) throws BundleException {
    for (var entry : new ArrayList<>(bundles.entrySet())) {
      if (when.contains(entry.getValue())) {
        // transient: nothing is remembered for a next start, as there is none with this storage
        entry.getKey().start(Bundle.START_TRANSIENT);
      }
    }
  }

  /** Stops all bundles and removes the storage. Any thread; a second call waits for the first. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      framework.stop();
      framework.waitForStop(STOP_TIMEOUT_MS);
    } catch (BundleException e) {
      throw new IOException("the framework did not stop", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (log != null) {
        log.close();
      }
      storage.close();
    }
  }
}
