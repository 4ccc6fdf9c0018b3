// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Which package may use which: the reading order of the monitor. */
class ArchitectureTest {
  private static final JavaClasses MONITOR =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.plex86.monitor");

  @Test
  void packagesUseOnlyThoseBelowThem() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("api")
        .definedBy("org.plex86.monitor")
        .layer("virtio")
        .definedBy("..monitor.virtio")
        .layer("hal")
        .definedBy("..monitor.hal")
        .layer("memory")
        .definedBy("..monitor.memory")
        .layer("control")
        .definedBy("..monitor.control")
        .layer("boot")
        .definedBy("..monitor.boot")
        .layer("cpu")
        .definedBy("..monitor.cpu")
        .layer("irq")
        .definedBy("..monitor.irq")
        .layer("nexus")
        .definedBy("..monitor.nexus")
        .layer("vm")
        .definedBy("..monitor.vm")
        .layer("command")
        .definedBy("..monitor.command")
        .whereLayer("vm")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("command")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("hal")
        .mayOnlyBeAccessedByLayers("vm", "command")
        .whereLayer("boot")
        .mayOnlyBeAccessedByLayers("vm")
        .whereLayer("cpu")
        .mayOnlyBeAccessedByLayers("vm")
        .whereLayer("irq")
        .mayOnlyBeAccessedByLayers("vm")
        .whereLayer("nexus")
        .mayOnlyBeAccessedByLayers("vm")
        .whereLayer("control")
        .mayOnlyBeAccessedByLayers("boot", "cpu", "irq", "nexus", "vm")
        .whereLayer("memory")
        .mayOnlyBeAccessedByLayers("control", "boot", "nexus", "vm")
        .whereLayer("virtio")
        .mayOnlyBeAccessedByLayers("hal", "memory", "vm")
        .whereLayer("api")
        .mayOnlyBeAccessedByLayers("vm", "command")
        .check(MONITOR);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("org.plex86.monitor.(*)..").should().beFreeOfCycles().check(MONITOR);
  }

  @Test
  void nativeCallsAreMadeInTwoPlacesOnly() {
    noClasses()
        .that()
        .resideOutsideOfPackages("..monitor.memory", "..monitor.nexus")
        .should()
        .dependOnClassesThat(resideInAPackage("com.sun.jna.."))
        .because(Native.class.getName() + " and " + Pointer.class.getName() + " can end the JVM")
        .check(MONITOR);
  }

  @Test
  void exportedPackageKnowsNothingOfWhatIsInside() {
    classes()
        .that()
        .resideInAPackage("org.plex86.monitor")
        .should()
        .onlyDependOnClassesThat(
            resideInAPackage("java..")
                .or(resideInAPackage("org.osgi.."))
                .or(resideInAPackage("org.plex86.monitor")))
        .check(MONITOR);
  }
}
