// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest.storm;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * Replaces a bundle again and again while it is started: in turns by an update in place, and by a
 * newer version that is started beside the older one, which then goes. Its headers name the bundle,
 * and the file to which it writes how often it has done so.
 */
public final class StormBundle implements BundleActivator {
  private static final String TARGET = "Storm-Target";
  private static final String COUNT = "Storm-Count";

  private volatile boolean over;
  private Thread thread;

  /** Writes a bundle that replaces another one. */
  public static void write(Path jar, String target, Path count) throws IOException {
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
    headers.putValue(Constants.BUNDLE_SYMBOLICNAME, "org.plex86.launcher.itest.storm");
    headers.putValue(Constants.BUNDLE_ACTIVATOR, StormBundle.class.getName());
    headers.putValue(Constants.IMPORT_PACKAGE, "org.osgi.framework");
    headers.putValue(TARGET, target);
    headers.putValue(COUNT, count.toString());
    String entry = StormBundle.class.getName().replace('.', '/') + ".class";
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file, manifest);
        InputStream in = StormBundle.class.getClassLoader().getResourceAsStream(entry)) {
      out.putNextEntry(new JarEntry(entry));
      in.transferTo(out);
    }
  }

  @Override
  public void start(BundleContext context) {
    String target = context.getBundle().getHeaders().get(TARGET);
    Path count = Path.of(context.getBundle().getHeaders().get(COUNT));
    thread = new Thread(() -> run(context, target, count), "storm");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void stop(BundleContext context) {
    over = true;
    thread.interrupt();
  }

  private void run(BundleContext context, String target, Path count) {
    Bundle container = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION);
    try {
      byte[] jar = null;
      for (int i = 1; !over; i++) {
        Bundle old = newest(context, target);
        if (jar == null) {
          jar = read(old);
        }
        if (i % 2 == 0) {
          // its location may be a file that is gone, so not from there
          old.update(new ByteArrayInputStream(withVersion(jar, old.getVersion())));
        } else {
          Version next = new Version(old.getVersion().getMajor(), 0, i);
          Bundle beside =
              context.installBundle(
                  "storm:" + i, new ByteArrayInputStream(withVersion(jar, above(old, next))));
          beside.start();
          old.uninstall();
        }
        Files.writeString(count, Integer.toString(i));
        Thread.sleep(10);
      }
    } catch (InterruptedException e) {
      over = true;
    } catch (BundleException | IOException | IllegalStateException e) {
      // a container that ends in the midst of a change refuses it, maybe before it stops this
      // bundle
      if (!over && container.getState() == Bundle.ACTIVE) {
        try {
          Files.writeString(count, e.toString());
        } catch (IOException unwritable) {
          e.addSuppressed(unwritable);
        }
      }
    }
  }

  private static Version above(Bundle old, Version next) {
    Version version = old.getVersion();
    return next.compareTo(version) > 0
        ? next
        : new Version(version.getMajor(), version.getMinor(), version.getMicro() + 1);
  }

  private static Bundle newest(BundleContext context, String name) {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> name.equals(bundle.getSymbolicName()))
        .max(Comparator.comparing(Bundle::getVersion))
        .orElseThrow(() -> new IllegalStateException("there is no " + name));
  }

  private static byte[] read(Bundle bundle) throws IOException {
    String location = bundle.getLocation().replaceFirst("^reference:", "");
    return Files.readAllBytes(Path.of(URI.create(location)));
  }

  private static byte[] withVersion(byte[] jar, Version version) throws IOException {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    try (JarInputStream in = new JarInputStream(new ByteArrayInputStream(jar))) {
      Manifest manifest = in.getManifest();
      manifest.getMainAttributes().putValue(Constants.BUNDLE_VERSION, version.toString());
      try (JarOutputStream out = new JarOutputStream(result, manifest)) {
        for (JarEntry entry; (entry = in.getNextJarEntry()) != null; ) {
          out.putNextEntry(new JarEntry(entry.getName()));
          in.transferTo(out);
        }
      }
    }
    return result.toByteArray();
  }
}
