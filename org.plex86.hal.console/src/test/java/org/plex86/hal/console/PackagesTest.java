// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Which package may use which. */
@AnalyzeClasses(
    packages = "org.plex86.hal.console",
    importOptions = ImportOption.DoNotIncludeTests.class)
class PackagesTest {
  @ArchTest
  static final ArchRule LAYERS =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("api")
          .definedBy("org.plex86.hal.console")
          .layer("io")
          .definedBy("..console.io..")
          .layer("terminal")
          .definedBy("..console.terminal..")
          .layer("endpoint")
          .definedBy("..console.endpoint..")
          .layer("exec")
          .definedBy("..console.exec..")
          .layer("device")
          .definedBy("..console.device..")
          .layer("driver")
          .definedBy("..console.driver..")
          .whereLayer("driver")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("device")
          .mayOnlyBeAccessedByLayers("driver")
          .whereLayer("exec")
          .mayOnlyBeAccessedByLayers("device", "driver")
          .whereLayer("endpoint")
          .mayOnlyBeAccessedByLayers("device", "driver")
          .whereLayer("terminal")
          .mayOnlyBeAccessedByLayers("endpoint", "exec", "device", "driver")
          .whereLayer("api")
          .mayOnlyBeAccessedByLayers("terminal", "driver")
          .whereLayer("io")
          .mayOnlyBeAccessedByLayers("terminal", "endpoint", "exec", "device");
}
