// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.launcher.itest.storm.StormBundle;

/** The console's bundle is replaced while it passes the streams of a command. */
class ConsoleStormIT {
  private static final int LINES = 150_000;

  @TempDir Path folder;

  private static String count(String prefix) {
    return "awk 'BEGIN { for (i = 1; i <= " + LINES + "; i++) print \"" + prefix + "\" i }'";
  }

  private static String numbers(String prefix) {
    return IntStream.rangeClosed(1, LINES)
        .mapToObj(i -> prefix + i)
        .collect(Collectors.joining("\n", "", "\n"));
  }

  @Test
  void streamsOfCommandLoseAndDoubleNothingAndItsStatusIsRight() throws Exception {
    Path count = folder.resolve("count");
    Path bundles = Files.createDirectory(folder.resolve("bundles"));
    StormBundle.write(bundles.resolve("storm.jar"), "org.plex86.hal.console", count);
    String command =
        "i=0; (while read -r l; do i=$((i+1)); [ \"$l\" = in$i ] || { echo \"$l, not $i\"; exit 9; };"
            + " done; [ $i = "
            + LINES
            + " ] || { echo end at $i; exit 8; }; exit 7) & reader=$!;"
            + count("out")
            + " & "
            + count("err")
            + " >&2; wait $!; wait $reader";
    Plex86.Result result =
        Plex86.feed(
            numbers("in").getBytes(StandardCharsets.US_ASCII),
            "run",
            "--bundles",
            bundles.toString(),
            "--exec",
            "exec 3<&0; " + command.replace("done;", "done <&3;"));
    assertThat(result.text()).isEqualTo(numbers("out"));
    assertThat(result.errors()).isEqualTo(numbers("err"));
    assertThat(result.status()).isEqualTo(7);
    assertThat(Integer.parseInt(Files.readString(count))).isGreaterThan(20);
  }
}
