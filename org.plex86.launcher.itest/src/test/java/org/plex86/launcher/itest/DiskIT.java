// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code plex86 disk} and {@code --disk}, as a user has them. */
class DiskIT {
  @TempDir Path folder;

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private String made(String name) throws Exception {
    var result = Plex86.run("disk", "create", file(name), "16M");
    assertThat(result.status()).as(result.errors()).isZero();
    return file(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.raw", "a.qcow2"})
  void whatTheGuestWritesIsInTheImage(String name) throws Exception {
    String disk = made(name);
    var written =
        Plex86.run(
            "run",
            "--disk",
            "file=" + disk,
            "--exec",
            "yes plex86 | head -c 1000000 | dd of=/dev/vda bs=4k conv=fsync 2>/dev/null;"
                + " cat /sys/block/vda/size /sys/block/vda/serial");
    assertThat(written.status()).as(written.errors()).isZero();
    assertThat(written.text()).isEqualTo("32768\ndisk0");
    var converted = Plex86.run("disk", "convert", disk, file("out.img"));
    assertThat(converted.status()).as(converted.errors()).isZero();
    byte[] bytes = Files.readAllBytes(Path.of(file("out.img")));
    assertThat(bytes)
        .hasSize(16 << 20)
        .startsWith("plex86\nplex86\n".getBytes(StandardCharsets.US_ASCII));
    assertThat(Arrays.copyOf(bytes, 1_000_000)).doesNotContain((byte) 0);
    assertThat(Plex86.run("disk", "check", disk).status()).isZero();
  }

  @Test
  void readOnlyDiskIsReadOnlyInTheGuestAndOverlayIsGoneAtTheEnd() throws Exception {
    String disk = made("a.qcow2");
    byte[] before = Files.readAllBytes(Path.of(disk));
    var result =
        Plex86.run(
            "run",
            "--disk",
            "file=" + disk + ",readonly=on",
            "--disk",
            "file=" + disk + ",overlay=on,name=scratch",
            "--exec",
            "cat /sys/block/vda/ro; dd if=/dev/zero of=/dev/vda count=1 2>/dev/null || echo no;"
                + " cat /sys/block/vdb/serial; echo; dd if=/init of=/dev/vdb bs=4k conv=fsync"
                + " 2>/dev/null && cmp -n 4096 /init /dev/vdb && echo yes");
    assertThat(result.text()).as(result.errors()).isEqualTo("1\nno\nscratch\nyes\n");
    assertThat(Files.readAllBytes(Path.of(disk))).isEqualTo(before);
  }

  @Test
  void secondMachineCannotWriteTheImage() throws Exception {
    String disk = "file=" + made("a.raw");
    Process first = Plex86.start("run", "--disk", disk, "--exec", "echo up; cat");
    assertThat(first.getInputStream().read()).isEqualTo('u');
    Plex86.run("run", "--disk", disk, "--exec", "true")
        .isFailure(3, "is in use by another virtual machine or program");
    Plex86.run("disk", "resize", file("a.raw"), "20M").isFailure(3, "is in use by another");
    assertThat(Plex86.finish(first, new byte[0]).status()).isZero();
  }

  @Test
  void infoIsForPeopleAndPrograms() throws Exception {
    String disk = made("a.qcow2");
    assertThat(Plex86.run("disk", "create", file("b.qcow2"), "--backing", "a.qcow2").text())
        .contains("16M");
    assertThat(Plex86.run("disk", "resize", disk, "20M").text()).contains("has 20M now");
    assertThat(Plex86.run("disk", "info", disk).text())
        .contains("format          qcow2", "size            20M (20971520 bytes)");
    assertThat(Plex86.run("disk", "info", "--json", file("b.qcow2")).text())
        .contains("\"size\": 16777216", "\"backing-file\": \"a.qcow2\"");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | disk | no command; give create, info",
        "2 | disk frob | unknown command 'frob'",
        "2 | disk create | FILE is missing",
        "2 | disk info --frob x | disk --help",
        "2 | disk info x --format vdi | 'vdi' is not known; give raw or qcow2",
        "3 | disk create /nonexistent/x 1M | there is no folder '/nonexistent'",
        "3 | disk create x 1x | '1x' is not a size",
        "3 | disk create x | the size is missing",
        "3 | disk info /nonexistent | there is no file '/nonexistent'",
        "3 | run --disk file=/nonexistent --exec true | there is no file '/nonexistent'",
        "3 | run --disk file=/dev/null --exec true | neither a file nor a block device",
        "3 | run --disk file=/etc/passwd,format=qcow2,readonly=on --exec true | is not a qcow2 image"
      })
  void whatIsWrongIsOneLine(int status, String line, String words) throws Exception {
    Plex86.run(line.split(" ")).isFailure(status, words);
  }
}
