// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line of the script and of the program behind it. */
class UsageIT {
  @ParameterizedTest
  @ValueSource(strings = {"run", "build", "test", "bench", "soak", "doctor", "format"})
  void everyCommandHasHelp(String command) throws Exception {
    var result = Plex86.run(command, "--help");
    assertThat(result.status()).isZero();
    assertThat(result.text()).startsWith("Usage: plex86 " + command);
    assertThat(result.errors()).isEmpty();
  }

  @Test
  void helpNamesEveryCommand() throws Exception {
    assertThat(Plex86.run("--help").text())
        .contains("run", "build", "test", "bench", "soak", "doctor", "format", "--version");
  }

  @Test
  void versionIsOneLine() throws Exception {
    assertThat(Plex86.run("--version").text()).matches("plex86 [0-9]+\\.[0-9]+\\.[0-9]+\\S*\n");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "frob | unknown command 'frob'",
        "run --frob | unknown option '--frob'",
        "run true | goes after --exec",
        "run --memory 1T | is not a size",
        "run --disk fiel=x | unknown key 'fiel'; known are file, format, readonly, overlay",
        "run --isolation none | 'none' is not known; give strict or shared",
        "run --console tty | 'tty' is not known; give stdio, pty, tcp:ADDRESS:PORT, unix:PATH, file:PATH or null",
        "build x | takes no 'x'",
        "doctor x | takes no 'x'",
      })
  void wrongCommandLineIsOneLineAndStatus2(String line, String words) throws Exception {
    Plex86.run(line.split(" ")).isFailure(2, words);
  }

  @Test
  void folderOfBundlesMustBeOne() throws Exception {
    Plex86.run("run", "--bundles", "/nonexistent", "--exec", "true")
        .isFailure(3, "'/nonexistent' is not a folder");
  }

  @Test
  void doctorHasALineForEveryCheckAndNothingToFixHere() throws Exception {
    var result = Plex86.run("doctor");
    assertThat(result.status()).as(result.text()).isZero();
    assertThat(result.text().lines())
        .hasSizeGreaterThan(10)
        .allMatch(l -> l.matches("(ok|warn) .*"));
    assertThat(result.text())
        .contains("IA32", "mmap_min_addr", "max_map_count", "seccomp", "avx", "JDK");
  }
}
