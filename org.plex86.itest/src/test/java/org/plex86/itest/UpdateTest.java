// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.plex86.itest.lingering.LingeringRng;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;

/** A third party's bundle that is updated in place while a guest uses its driver. */
class UpdateTest {
  private final BundleContext context =
      FrameworkUtil.getBundle(UpdateTest.class).getBundleContext();
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  /**
   * What the old version serves the guest with, until the new one is there, may need classes that
   * nothing has needed before its bundle was updated; then they cannot be loaded any more.
   */
  @Test
  void oldVersionServesOnWithClassesThatItHasNotNeededBefore()
      throws IOException, BundleException, InterruptedException {
    Bundle bundle = context.installBundle("test:lingering", bundle("1.0.0"));
    try {
      bundle.start();
      VirtualMachine vm =
          machines.exec(
              "update",
              64L << 20,
              "",
              // until the old version has served on, and the new one after it
              "for letter in a z a; do"
                  + " until dd if=/dev/hwrng bs=64 count=1 2>/dev/null | grep -q $letter; do :; done;"
                  + " done",
              "type=" + LingeringRng.TYPE + ",name=rng0");
      Machines.awaitChannels(vm, 2, Duration.ofSeconds(20));
      Thread.sleep(500); // the guest reads
      bundle.update(bundle("1.0.1"));
      VmEnd end = Machines.end(vm, Duration.ofSeconds(20));
      assertThat(end.result()).as("%s", end).hasValue(0);
      assertThat(vm.channelHistory("rng0"))
          .anyMatch(event -> event.what().contains("serves on for the next one to come"))
          .noneMatch(event -> event.what().contains("crash"));
    } finally {
      bundle.uninstall();
    }
  }

  /** The bundle of {@link LingeringRng}, as a file to install. */
  private InputStream bundle(String version) throws IOException {
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
    headers.putValue(Constants.BUNDLE_SYMBOLICNAME, "org.plex86.itest.lingering");
    headers.putValue(Constants.BUNDLE_VERSION, version);
    headers.putValue(Constants.BUNDLE_ACTIVATOR, LingeringRng.class.getName());
    headers.putValue(Constants.IMPORT_PACKAGE, "org.osgi.framework,org.plex86.hal.api");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
      String folder = LingeringRng.class.getPackageName().replace('.', '/');
      for (var file : Collections.list(context.getBundle().findEntries(folder, "*.class", false))) {
        jar.putNextEntry(new JarEntry(file.getPath().substring(1)));
        try (InputStream in = file.openStream()) {
          in.transferTo(jar);
        }
        jar.closeEntry();
      }
    }
    return new ByteArrayInputStream(bytes.toByteArray());
  }
}
