// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;

class BundleConverterTest {
  private Framework framework;
  private BundleConverter converter;

  @BeforeEach
  void startFramework(@TempDir Path storage) throws Exception {
    framework =
        new FrameworkFactory()
            .newFramework(Map.of("org.osgi.framework.storage", storage.toString()));
    framework.init();
    converter = new BundleConverter(framework.getBundleContext());
  }

  @AfterEach
  void stopFramework() throws Exception {
    framework.stop();
    framework.waitForStop(10_000);
  }

  @Test
  void findsABundleByNumberAndByName() {
    Bundle system = framework.getBundleContext().getBundle(0);
    assertThat(converter.convert(Bundle.class, "0")).isSameAs(system);
    assertThat(converter.convert(Bundle.class, 0L)).isSameAs(system);
    assertThat(converter.convert(Bundle.class, system.getSymbolicName())).isSameAs(system);
  }

  @Test
  void leavesWhatIsNoBundleToOthers() {
    assertThat(converter.convert(Bundle.class, "77")).isNull();
    assertThat(converter.convert(Bundle.class, "no.such.bundle")).isNull();
    assertThat(converter.convert(String.class, "0")).isNull();
  }
}
