// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskOptionsParserTest {
  @Test
  void wordsAreThoseOfTheTool() throws UsageException {
    assertThat(parse("create a.qcow2 10G --backing b.img --backing-format raw"))
        .isEqualTo(
            Map.of(
                "command", "create",
                "file", "a.qcow2",
                "size", "10G",
                "backing", "b.img",
                "backing-format", "raw"));
    assertThat(parse("info --json a.img"))
        .isEqualTo(Map.of("command", "info", "file", "a.img", "json", "on"));
    assertThat(parse("convert --to-format raw a b"))
        .isEqualTo(Map.of("command", "convert", "file", "a", "to", "b", "to-format", "raw"));
    assertThat(DiskOptionsParser.parse(List.of("create", "--help"))).isEmpty();
    assertThat(DiskOptionsParser.parse(List.of("--help"))).isEmpty();
  }

  private static Map<String, String> parse(String line) throws UsageException {
    return DiskOptionsParser.parse(List.of(line.split(" "))).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "frob | unknown command 'frob'; give create, info, resize, convert or check",
        "create | FILE is missing",
        "resize a | SIZE is missing",
        "convert a | TO is missing",
        "info a b | see plex86 disk --help",
        "info a --size 1 | see plex86 disk --help",
        "info a --format vmdk | 'vmdk' is not known; give raw or qcow2"
      })
  void refusesWithOneLine(String line, String words) {
    assertThatThrownBy(() -> parse(line))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("disk")
        .hasMessageContaining(words)
        .hasMessageNotContaining("\n");
  }
}
