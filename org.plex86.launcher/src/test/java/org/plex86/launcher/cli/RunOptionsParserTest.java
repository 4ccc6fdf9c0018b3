// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.launcher.Main;

class RunOptionsParserTest {
  private static RunOptions parse(String... args) throws UsageException {
    return RunOptionsParser.parse(List.of(args)).orElseThrow();
  }

  private static List<String> channels(String... args) throws UsageException {
    return parse(args).channels().stream().map(ChannelSpec::toProperty).toList();
  }

  @Test
  void withoutOptionsTheConsoleIsTheTerminal() throws UsageException {
    RunOptions options = parse();
    assertThat(options.name()).isEqualTo("vm1");
    assertThat(options.memory()).isEqualTo(256L << 20);
    assertThat(options.exec()).isEmpty();
    assertThat(options.timeout()).isEmpty();
    assertThat(options.append()).isEmpty();
    assertThat(channels()).containsExactly("type=console,name=console0,endpoint=stdio");
  }

  @Test
  void commandReachesTheConsoleWithItsCommasAndBackslashes() throws UsageException {
    assertThat(channels("--exec", "printf 'a,b\\n'"))
        .containsExactly("type=console,name=console0,exec=printf 'a\\,b\\\\n',quiet=on");
  }

  @Test
  void verboseCommandKeepsTheConsoleLoud() throws UsageException {
    assertThat(channels("--verbose", "--exec", "true"))
        .containsExactly("type=console,name=console0,exec=true");
  }

  @Test
  void commandMayLookLikeAFileOfArguments() throws UsageException {
    assertThat(parse("--exec", "@x").exec()).contains("@x");
    assertThat(parse("--exec=").exec()).contains("");
    assertThat(parse("--exec", "").exec()).contains("");
    assertThat(parse("--exec", "'quoted'").exec()).contains("'quoted'");
    assertThat(parse("--exec", "\"quoted\"").exec()).contains("\"quoted\"");
  }

  @Test
  void channelsComeInTheOrderConsoleDisksNets() throws UsageException {
    assertThat(
            channels(
                "--net",
                "user,forward=tcp:127.0.0.1:8080:80,forward=tcp::2222:22",
                "--disk",
                "file=a\\,b.img",
                "--disk",
                "file=c.qcow2,format=qcow2,readonly=on,name=data",
                "--net",
                "switch,name=lan,mac=02:00:00:00:00:01,mtu=9000",
                "--console",
                "file:/tmp/a,b"))
        .containsExactly(
            "type=console,name=console0,endpoint=file:/tmp/a\\,b",
            "type=disk,name=disk0,file=a\\,b.img",
            "type=disk,name=data,file=c.qcow2,format=qcow2,readonly=on",
            "type=net,name=net0,backend=user,forward=tcp:127.0.0.1:8080:80;tcp::2222:22",
            "type=net,name=net1,backend=switch,switch=lan,mac=02:00:00:00:00:01,mtu=9000");
  }

  @Test
  void timeoutTakesFractionsOfASecond() throws UsageException {
    assertThat(parse("--timeout", "1.5").timeout()).contains(Duration.ofMillis(1500));
  }

  @Test
  void helpIsNotAnError() throws UsageException {
    assertThat(RunOptionsParser.parse(List.of("--help"))).isEmpty();
    assertThat(RunOptionsParser.parse(List.of("-h"))).isEmpty();
  }

  @Test
  void helpNamesEveryOption() throws Exception {
    try (InputStream in = Main.class.getResourceAsStream("help/run.txt")) {
      String help = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(help).contains(RunOptionsParser.optionNames().toArray(String[]::new));
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "--frob | unknown option '--frob'",
        "--memry 1G | --memory",
        "true | 'true' is not an option; a command for the guest goes after --exec, quoted",
        "--memory | Missing required parameter for option '--memory'",
        "--memory 1G --memory 2G | only once",
        "--memory 8M | give 24M to 3G",
        "--memory 4G | give 24M to 3G",
        "--memory 99999999999G | is not a size",
        "--memory 25165825 | multiple of 4K",
        "--memory lots | give a number with K, M or G, such as 256M",
        "--timeout 0 | give seconds above 0",
        "--timeout NaN | give seconds above 0",
        "--timeout soon | give seconds above 0",
        "--name a/b | is not a name",
        "--isolation loose | 'loose' is not known; give strict or shared",
        "--quiet --verbose | exclude each other",
        "--console pty:x | 'pty:x' is not known; give stdio, pty",
        "--console tcp:127.0.0.1 | 'tcp:127.0.0.1' is no tcp:ADDRESS:PORT",
        "--console unix: | unix: needs a path",
        "--console tty | 'tty' is not known; give stdio, pty, tcp:ADDRESS:PORT, unix:PATH, file:PATH or null",
        "--console file: | needs a path",
        "--console stdio:x | 'stdio:x' is not known",
        "--console stdio --exec x | stdio is taken by --exec; give pty, tcp:ADDRESS:PORT, unix:PATH, file:PATH or null",
        "--disk fiel=x | unknown key 'fiel'; known are file, format, readonly, overlay, discard, iops, bps, name",
        "--disk x.img | unknown key 'x.img'; known are file, format, readonly, overlay, discard, iops, bps, name",
        "--disk readonly=on | 'file' is missing; give file=VALUE",
        "--disk file= | 'file' has no value",
        "--disk file=a,file=b | 'file' is there twice",
        "--disk file=a,format=vmdk | format=vmdk is not known; give raw or qcow2",
        "--disk file=a,readonly=yes | readonly=yes is not known; give on or off",
        "--disk file=a,name=d --disk file=b,name=d | two channels have the name 'd'",
        "--net bridge | 'bridge' is not known; give user, tap,ifname=I or switch,name=S",
        "--net tap | 'ifname' is missing",
        "--net switch,nam=x | unknown key 'nam'; known are name",
        "--net user,forward=tcp:80 | give forward=tcp:ADDR:PORT:GUESTPORT",
        "--net user,forward=tcp::99999:80 | give forward=tcp:ADDR:PORT:GUESTPORT",
        "--kernel= | the name is empty; give a path",
      })
  void wrongLineSaysWhatIsWrongAndWhatToDo(String line, String text) {
    assertThatThrownBy(() -> parse(line.split(" ")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(text)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void controlCharactersOfAnArgumentAreNotPassedOnToTheTerminal() {
    assertThatThrownBy(() -> parse("--disk", "file=x,\u001b[2J=y"))
        .isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> parse("--append", "a\nb")).hasMessageContaining("control character");
  }
}
