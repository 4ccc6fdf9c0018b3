// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk of the host that fails, by a library that is loaded before the C library. */
class DiskErrorIT {
  /** Answers each line of standard input, a command, by whether it went well. */
  private static final String OBEY =
      "while read command; do eval \"$command\" >/dev/null 2>&1 && echo well || echo badly; done";

  /** From the start to the end, so that a qcow2 image has the first clusters in its first MiB. */
  private static final String FILL = "dd if=/dev/zero of=/dev/vda bs=64k count=256 oflag=direct";

  private static final String LOW = "dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct";
  private static final String HIGH = LOW + " skip=1000";
  private static final String WRITE =
      "dd if=/init of=/dev/vda bs=4k count=1 seek=1000 oflag=direct";
  private static final String SYNC = "dd if=/init of=/dev/vda bs=4k count=1 seek=2 conv=fsync";

  @TempDir Path folder;
  private OutputStream commands;
  private BufferedReader answers;

  private String does(String command) throws IOException {
    commands.write((command + "\n").getBytes(StandardCharsets.UTF_8));
    commands.flush();
    return answers.readLine();
  }

  private Process start(String name) throws Exception {
    String disk = folder.resolve(name).toString();
    assertThat(Plex86.run("disk", "create", disk, "16M").status()).isZero();
    var filled = Plex86.run("run", "--disk", "file=" + disk, "--exec", FILL);
    assertThat(filled.status()).as(filled.errors()).isZero();
    Process process =
        Plex86.startWith(
            Map.of(
                "LD_PRELOAD",
                Plex86.file("org.plex86.launcher.itest/target/native/failing-disk.so").toString(),
                "FAILING_DISK",
                folder.toString()),
            "run",
            "--disk",
            "file=" + disk,
            "--exec",
            OBEY);
    commands = process.getOutputStream();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    return process;
  }

  private String end(Process process) throws Exception {
    commands.close();
    var result = Plex86.finish(process, new byte[0]);
    assertThat(result.status()).isZero();
    return result.errors();
  }

  @ParameterizedTest
  @ValueSource(strings = {"disk.raw", "disk.qcow2"})
  void transferThatFailsIsThatRequestsErrorAndToldOnce(String name) throws Exception {
    Process process = start(name);
    assertThat(does(HIGH)).isEqualTo("well");
    Path failing = Files.createFile(folder.resolve("transfer"));
    for (int i = 0; i < 3; i++) {
      assertThat(does(HIGH)).isEqualTo("badly");
      assertThat(does(WRITE)).isEqualTo("badly");
      assertThat(does(LOW)).isEqualTo("well");
    }
    Files.delete(failing);
    assertThat(does(HIGH)).isEqualTo("well");
    assertThat(does(WRITE)).isEqualTo("well");
    assertThat(end(process).lines())
        .hasSize(2)
        .allMatch(line -> line.contains("the guest gets an IO error: Input/output error"))
        .anyMatch(line -> line.contains("cannot read"))
        .anyMatch(line -> line.contains("cannot write"));
  }

  @Test
  void flushThatFailsIsAnErrorOfFsyncAndToldOnce() throws Exception {
    Process process = start("disk.raw");
    assertThat(does(SYNC)).isEqualTo("well");
    Path failing = Files.createFile(folder.resolve("sync"));
    for (int i = 0; i < 3; i++) {
      assertThat(does(SYNC)).isEqualTo("badly");
    }
    Files.delete(failing);
    assertThat(does(SYNC)).isEqualTo("well");
    assertThat(end(process).lines())
        .singleElement()
        .asString()
        .contains("cannot make durable", "the guest gets an IO error: Input/output error");
  }
}
