// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostRequirementsTest {
  @TempDir Path proc;

  @Test
  void otherSystemsAreNamed() {
    assertThat(HostRequirements.obstacle("Linux", "aarch64", proc))
        .hasValueSatisfying(line -> assertThat(line).contains("x86-64").contains("aarch64"));
    assertThat(HostRequirements.obstacle("Mac OS X", "amd64", proc))
        .hasValueSatisfying(line -> assertThat(line).contains("Mac OS X"));
  }

  @Test
  void lowestMappingThatIsTooHighIsNamedWithTheCommandThatHelps() throws IOException {
    Files.createDirectories(proc.resolve("sys/vm"));
    Files.writeString(proc.resolve("sys/vm/mmap_min_addr"), "1048576\n");
    assertThat(HostRequirements.obstacle("Linux", "amd64", proc))
        .hasValueSatisfying(
            line -> assertThat(line).contains("1048576").contains("sysctl vm.mmap_min_addr=65536"));
  }

  @Test
  void usualHostHasNothingInTheWay() throws IOException {
    assertThat(HostRequirements.obstacle("Linux", "amd64", proc)).isEmpty();
    Files.createDirectories(proc.resolve("sys/vm"));
    Files.writeString(proc.resolve("sys/vm/mmap_min_addr"), "65536\n");
    assertThat(HostRequirements.obstacle("Linux", "amd64", proc)).isEmpty();
  }
}
