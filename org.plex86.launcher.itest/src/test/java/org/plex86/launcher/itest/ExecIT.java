// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code plex86 run --exec}: one command in a guest. */
class ExecIT {
  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void statusAndOutputAreTheCommands() throws Exception {
    var result = Plex86.run("run", "--exec", "uname -a; exit 7");
    assertThat(result.status()).isEqualTo(7);
    assertThat(result.text()).startsWith("Linux ").contains(" 6.1.").endsWith("\n");
    assertThat(result.text().lines()).hasSize(1);
    assertThat(result.errors()).isEmpty();
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({"true, 0", "false, 1", "exit 255, 255", "kill -9 $$, 137", "nonesuch 2>&-, 127"})
  void everyStatusIsPassedOn(String command, int status) throws Exception {
    assertThat(Plex86.run("run", "--exec", command).status()).isEqualTo(status);
  }

  @Test
  void standardInputReachesTheCommand() throws Exception {
    var result = Plex86.feed(ascii("hello\n"), "run", "--exec", "tr a-z A-Z");
    assertThat(result.text()).isEqualTo("HELLO\n");
    assertThat(result.status()).isZero();
  }

  @Test
  void bytesPassUnchangedBothWays() throws Exception {
    byte[] bytes = new byte[3_000_000];
    new Random(86).nextBytes(bytes);
    var result = Plex86.feed(bytes, "run", "--exec", "cat");
    assertThat(result.out()).isEqualTo(bytes);
    assertThat(result.errors()).isEmpty();
  }

  @Test
  void outputAndErrorsStayApart() throws Exception {
    var result =
        Plex86.run("run", "--exec", "head -c 5000000 /dev/urandom | tee /dev/stderr | md5sum");
    byte[] sum = MessageDigest.getInstance("MD5").digest(result.err());
    assertThat(result.err()).hasSize(5_000_000);
    assertThat(result.text()).isEqualTo(HexFormat.of().formatHex(sum) + "  -\n");
  }

  @Test
  void inputThatNobodyReadsDoesNotKeepTheMachineUp() throws Exception {
    var result = Plex86.feed(new byte[20_000_000], "run", "--exec", "exit 3");
    assertThat(result.status()).isEqualTo(3);
  }

  @Test
  void commandKeepsItsLettersWhateverTheLocale() throws Exception {
    for (String locale : new String[] {"C", "POSIX", "C.UTF-8"}) {
      var result = Plex86.runWith(Map.of("LC_ALL", locale), "run", "--exec", "echo 'ü,\\ €'");
      assertThat(result.text()).as(locale).isEqualTo("ü,\\ €\n");
    }
  }

  @Test
  void memoryIsWhatWasAskedFor() throws Exception {
    var result =
        Plex86.run("run", "--memory", "64M", "--exec", "awk '/MemTotal/ {print $2}' /proc/meminfo");
    assertThat(Integer.parseInt(result.text().strip())).isBetween(40_000, 65_536);
  }

  @Test
  void guestMayPowerOffByItself() throws Exception {
    var result = Plex86.run("run", "--exec", "poweroff -f; sleep 30");
    assertThat(result.status()).as(result.errors()).isZero();
  }

  @Test
  void machinesRunSideBySideUnderOneName() throws Exception {
    Process first = Plex86.start("run", "--name", "twin", "--exec", "cat; exit 11");
    Process second = Plex86.start("run", "--name", "twin", "--exec", "cat; exit 12");
    var one = Plex86.finish(first, ascii("one"));
    var two = Plex86.finish(second, ascii("two"));
    assertThat(one.text() + two.text()).isEqualTo("onetwo");
    assertThat(one.status()).isEqualTo(11);
    assertThat(two.status()).isEqualTo(12);
  }

  @Test
  void verboseRunSaysHowLongTheBootTook() throws Exception {
    var result = Plex86.run("run", "--verbose", "--exec", "true");
    assertThat(result.status()).isZero();
    assertThat(result.text()).isEmpty();
    assertThat(result.errors()).containsPattern("nexus-start-to-first-user-us=[1-9][0-9]*");
  }
}
