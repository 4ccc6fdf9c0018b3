// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.PackageMatcher;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Which package may use which, over all bundles: this module sees all of them. */
class ArchitectureTest {
  private static final String ROOT = "org.plex86.";

  /** What each package may use of org.plex86, itself apart. Whoever adds a line thinks about it. */
  private static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("hal.api", List.of()),
          Map.entry("hal.console", List.of()),
          Map.entry("hal.console.io", List.of("hal.api")),
          Map.entry("hal.console.terminal", List.of("hal.api", "hal.console", "hal.console.io")),
          Map.entry(
              "hal.console.endpoint",
              List.of("hal.api", "hal.console", "hal.console.io", "hal.console.terminal")),
          Map.entry(
              "hal.console.exec",
              List.of("hal.api", "hal.console", "hal.console.io", "hal.console.terminal")),
          Map.entry("hal.console.device", List.of("hal.api", "hal.console..")),
          Map.entry("hal.trace", List.of("hal.api")),
          Map.entry("hal.console.driver", List.of("hal.api", "hal.console..")),
          Map.entry("hal.disk", List.of()),
          Map.entry("hal.disk.io", List.of()),
          Map.entry("hal.disk.image", List.of("hal.disk.io")),
          Map.entry("hal.disk.qcow2", List.of("hal.disk.image", "hal.disk.io")),
          Map.entry("hal.disk.format", List.of("hal.disk.image", "hal.disk.io", "hal.disk.qcow2")),
          Map.entry(
              "hal.disk.tool",
              List.of("hal.disk.format", "hal.disk.image", "hal.disk.io", "hal.disk.qcow2")),
          Map.entry("hal.disk.device", List.of("hal.api", "hal.disk.image", "hal.disk.io")),
          Map.entry("hal.disk.driver", List.of("hal.api", "hal.disk..")),
          Map.entry("hal.net", List.of()),
          Map.entry("hal.net.link", List.of()),
          Map.entry("hal.net.tap", List.of("hal.api", "hal.net.link")),
          Map.entry("hal.net.vswitch", List.of("hal.net.link")),
          Map.entry("hal.net.device", List.of("hal.api", "hal.net.link")),
          Map.entry("hal.net.driver", List.of("hal.api", "hal.net..")),
          Map.entry("hal.net.user.packet", List.of("hal.net.link")),
          Map.entry("hal.net.user.io", List.of()),
          Map.entry(
              "hal.net.user.wire",
              List.of("hal.net.link", "hal.net.user.io", "hal.net.user.packet")),
          Map.entry("hal.net.user.icmp", List.of("hal.net.user.packet", "hal.net.user.wire")),
          Map.entry("hal.net.user.setup", List.of("hal.net.user.packet", "hal.net.user.wire")),
          Map.entry(
              "hal.net.user.udp",
              List.of(
                  "hal.net.link",
                  "hal.net.user.icmp",
                  "hal.net.user.io",
                  "hal.net.user.packet",
                  "hal.net.user.wire")),
          Map.entry(
              "hal.net.user.dns",
              List.of("hal.net.user.io", "hal.net.user.packet", "hal.net.user.udp")),
          Map.entry(
              "hal.net.user.tcp",
              List.of(
                  "hal.net.link",
                  "hal.net.user.icmp",
                  "hal.net.user.io",
                  "hal.net.user.packet",
                  "hal.net.user.wire")),
          Map.entry(
              "hal.net.user.forward",
              List.of(
                  "hal.api",
                  "hal.net.link",
                  "hal.net.user.io",
                  "hal.net.user.packet",
                  "hal.net.user.udp")),
          Map.entry("hal.net.user", List.of("hal.api", "hal.net.link", "hal.net.user..")),
          Map.entry("monitor", List.of()),
          Map.entry("monitor.virtio", List.of("hal.api")),
          Map.entry("monitor.memory", List.of("monitor.virtio")),
          Map.entry("monitor.control", List.of("monitor.memory")),
          Map.entry("monitor.boot", List.of("monitor.control", "monitor.memory")),
          Map.entry("monitor.cpu", List.of("monitor.control")),
          Map.entry("monitor.irq", List.of("monitor.control")),
          Map.entry("monitor.timer", List.of("monitor.control")),
          Map.entry("monitor.nexus", List.of("monitor.control", "monitor.memory")),
          Map.entry("monitor.hal", List.of("hal.api", "monitor.virtio")),
          Map.entry("monitor.command", List.of("monitor")),
          Map.entry("monitor.vm", List.of("hal.api", "monitor..")),
          Map.entry("launcher", List.of("launcher.cli", "launcher.framework", "launcher.session")),
          Map.entry("launcher.cli", List.of()),
          Map.entry("launcher.framework", List.of()),
          Map.entry("launcher.session", List.of("hal.api", "hal.console", "monitor")),
          Map.entry("launcher.shell", List.of("hal.console", "monitor")));

  private static JavaClasses all;

  @BeforeAll
  static void read() {
    all =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.plex86");
    assertThat(all.size()).isGreaterThan(100);
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    MAY_USE.forEach(
        (name, used) -> {
          List<String> allowed = new ArrayList<>(List.of(ROOT + name));
          used.forEach(other -> allowed.add(ROOT + other));
          noClasses()
              .that()
              .resideInAPackage(ROOT + name)
              .should()
              .dependOnClassesThat(
                  DescribedPredicate.describe(
                      "are of org.plex86 and not of " + allowed,
                      c ->
                          c.getPackageName().startsWith(ROOT)
                              && allowed.stream()
                                  .noneMatch(
                                      a -> PackageMatcher.of(a).matches(c.getPackageName()))))
              .allowEmptyShould(true)
              .check(all);
        });
  }

  @Test
  void everyPackageHasItsRule() {
    assertThat(all.stream().map(c -> c.getPackageName().substring(ROOT.length())).distinct())
        .allMatch(MAY_USE::containsKey);
  }

  @Test
  void packagesOfABundleFormNoCycle() {
    slices().matching("org.plex86.(**)").should().beFreeOfCycles().check(all);
  }

  @Test
  void nativeCallsAreInAFewPackages() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            ROOT + "monitor.memory",
            ROOT + "monitor.nexus",
            ROOT + "hal.console.io",
            ROOT + "hal.net.tap",
            ROOT + "hal.disk.io")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.sun.jna..")
        .check(all);
  }

  @Test
  void onlyTheProgramItselfEndsTheProcess() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(Main.class.getName())
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(all);
  }

  @Test
  void commandLineNeedsNoFramework() {
    classes()
        .that()
        .resideInAPackage(ROOT + "launcher.cli")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "picocli..", ROOT + "launcher.cli")
        .check(all);
  }
}
