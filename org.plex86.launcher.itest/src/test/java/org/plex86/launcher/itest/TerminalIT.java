// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** {@code plex86 run} on a terminal. */
class TerminalIT {
  private static final String PROMPT = "# ";
  private static final String CTRL_A = "\u0001";

  /** Runs a command whose own text does not hold what is waited for. */
  private static void check(Terminal terminal, String command, String answer)
      throws InterruptedException {
    terminal.type(command + "\n");
    terminal.expect("\n" + answer);
    terminal.expect(PROMPT);
  }

  private static Terminal boot(String... more) throws Exception {
    String[] args = new String[more.length + 1];
    args[0] = "run";
    System.arraycopy(more, 0, args, 1, more.length);
    Terminal terminal = new Terminal(30, 100, args);
    terminal.expect(PROMPT);
    return terminal;
  }

  @Test
  void bootsToAShellThatCtrlAXStops() throws Exception {
    try (Terminal terminal = boot()) {
      assertThat(terminal.screen()).contains("Linux version 6.1");
      check(terminal, "echo $((6*7))", "42");
      terminal.type(CTRL_A + "x");
      assertThat(terminal.await()).as(terminal.screen()).isZero();
      terminal.isRestored();
    }
  }

  @Test
  void quietRunShowsNoBootMessages() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      assertThat(terminal.screen()).doesNotContain("Linux version");
    }
  }

  @Test
  void powerOffIsTheEnd() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      terminal.type("poweroff -f\n");
      assertThat(terminal.await()).as(terminal.screen()).isZero();
      terminal.isRestored();
    }
  }

  @Test
  void windowSizeIsPassedOnAndFollowed() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      check(terminal, "stty size", "30 100");
      terminal.resize(44, 132);
      terminal.type("while ! stty size | grep -q '^44 132'; do sleep 0.1; done; echo fol''lowed\n");
      terminal.expect("\nfollowed");
    }
  }

  @Test
  void ctrlCGoesToTheGuest() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      terminal.type("echo beg''un; sleep 600\n");
      terminal.expect("\nbegun");
      terminal.type("\u0003");
      terminal.expect(PROMPT);
      check(terminal, "echo ali''ve", "alive");
    }
  }

  @Test
  void pastedTextArrivesWhole() throws Exception {
    String line = "The quick brown fox jumps over the lazy dog; 0123456789 times.\n";
    String text = line.repeat(10_000 / line.length() + 1);
    byte[] sum = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.US_ASCII));
    try (Terminal terminal = boot("--quiet")) {
      terminal.type("stty -echo; md5sum; stty echo\n");
      terminal.type(text);
      terminal.type("\u0004");
      terminal.expect(HexFormat.of().formatHex(sum));
    }
  }

  @Test
  void ctrlACGoesToTheGogoShellAndBack() throws Exception {
    try (Terminal terminal = boot("--quiet", "--name", "gogo1")) {
      terminal.type(CTRL_A + "c");
      terminal.expect("plex86> ");
      terminal.type("vm:list\r");
      terminal.expect("gogo1");
      terminal.type("hal:list\r");
      terminal.expect("console0");
      terminal.type("hal:swap gogo1 console0 org.plex86.hal.console\r");
      terminal.expect("console0 of gogo1 is served by org.plex86.hal.console");
      terminal.type("hal:swap gogo1 console0 org.nobody\r");
      terminal.expect("those that do: org.plex86.hal.console");
      terminal.type("hal:park gogo1 disk7\r");
      terminal.expect("gogo1 has no channel 'disk7'; it has: console0");
      terminal.type("hal:history gogo1 console0\r");
      terminal.expect("bound to org.plex86.hal.console");
      terminal.type("lb -s org.plex86.hal.trace\r");
      terminal.expect("Installed");
      terminal.type(CTRL_A + "c");
      check(terminal, "\necho ba''ck", "back");
    }
  }

  @Test
  void terminalThatGoesAwayTakesTheMachineAlong() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      List<ProcessHandle> processes = terminal.process().descendants().toList();
      assertThat(processes).isNotEmpty();
      terminal.hangUp();
      assertThat(terminal.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
      Plex86.areGone(processes);
    }
  }

  @Test
  void signalRestoresTheTerminal() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      terminal.jvm().destroy();
      assertThat(terminal.await()).isEqualTo(143);
      terminal.isRestored();
    }
  }

  @Test
  void deathOfASpaceIsToldOnARestoredTerminal() throws Exception {
    try (Terminal terminal = boot("--quiet")) {
      terminal.jvm().children().findFirst().orElseThrow().destroyForcibly();
      assertThat(terminal.await()).as(terminal.screen()).isEqualTo(4);
      terminal.isRestored();
      terminal.expect("plex86: ");
    }
  }
}
