// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm.agent;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.Version;
import org.plex86.hal.api.ChannelDriver;

/** Replaces drivers in the ways in which they can be. Each call returns when it has been done. */
final class Swapper {
  private static final String PREFIX = "org.plex86.hal.";
  private static final long PATIENCE_MILLIS = 20_000;

  private final BundleContext context;
  private final Map<String, byte[]> jars = new HashMap<>();
  private int versions;

  Swapper(BundleContext context) {
    this.context = context;
  }

  void update(String type) throws BundleException, IOException {
    Bundle bundle = newest(type);
    bundle.update(new ByteArrayInputStream(withVersion(jar(type), bundle.getVersion())));
  }

  void beside(String type) throws BundleException, IOException {
    Bundle old = newest(type);
    Version version =
        new Version(
            old.getVersion().getMajor(),
            old.getVersion().getMinor(),
            old.getVersion().getMicro() + 1);
    Bundle next =
        context.installBundle(
            "storm:" + type + versions++,
            new ByteArrayInputStream(withVersion(jar(type), version)));
    next.start(Bundle.START_TRANSIENT);
    old.uninstall();
  }

  /** The driver is wrapped by one that crashes as soon as it has passed on some packets. */
  void crash(String type) throws InvalidSyntaxException, InterruptedException {
    String filter = "(" + ChannelDriver.TYPE + "=" + type + ")";
    Collection<ServiceReference<ChannelDriver>> found =
        context.getServiceReferences(ChannelDriver.class, filter);
    ServiceReference<ChannelDriver> reference =
        found.stream()
            .max(Comparator.naturalOrder())
            .orElseThrow(() -> new IllegalStateException("no driver of type " + type));
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, type);
    properties.put(Constants.SERVICE_RANKING, 1_000_000);
    CrashingDriver driver = new CrashingDriver(context.getService(reference));
    ServiceRegistration<ChannelDriver> registration =
        context.registerService(ChannelDriver.class, driver, properties);
    try {
      if (!driver.awaitCrash(PATIENCE_MILLIS)) {
        throw new IllegalStateException("the driver that shall crash got no packets in time");
      }
    } finally {
      registration.unregister();
      context.ungetService(reference);
    }
  }

  private Bundle newest(String type) {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> (PREFIX + type).equals(bundle.getSymbolicName()))
        .max(Comparator.comparing(Bundle::getVersion))
        .orElseThrow(() -> new IllegalStateException("there is no bundle " + PREFIX + type));
  }

  private byte[] jar(String type) throws IOException {
    byte[] jar = jars.get(type);
    if (jar == null) {
      String location = newest(type).getLocation().replaceFirst("^reference:", "");
      jar = Files.readAllBytes(Path.of(URI.create(location)));
      jars.put(type, jar);
    }
    return jar;
  }

  private static byte[] withVersion(byte[] jar, Version version) throws IOException {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    try (JarInputStream in = new JarInputStream(new ByteArrayInputStream(jar))) {
      Manifest manifest = in.getManifest();
      manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version.toString());
      try (JarOutputStream out = new JarOutputStream(result, manifest)) {
        // Packing again costs a core that the guest needs.
        out.setLevel(0);
        for (JarEntry entry; (entry = in.getNextJarEntry()) != null; ) {
          out.putNextEntry(new JarEntry(entry.getName()));
          in.transferTo(out);
        }
      }
    }
    return result.toByteArray();
  }
}
