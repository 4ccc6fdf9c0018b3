// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.disk.fixture.Fixtures;

/** A real file system that is full, in a mount namespace that the test makes itself. */
@Timeout(90)
class FullDiskTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void fullFileSystemFailsWritesOnlyAndTheyRecover(String format) throws Exception {
    assumeTrue(
        Fixtures.has("unshare") && Fixtures.run("unshare", "-rm", "true").equals("status 0"),
        "skipped: this host does not allow user and mount namespaces");
    assertThat(
            Fixtures.run(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=4m none \"$1\" && exec \"$2\" -cp \"$3\" \"$4\" \"$1\" \"$5\"",
                "sh",
                folder.toString(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty("java.class.path"),
                FullDisk.class.getName(),
                format))
        .contains("as it should be\n")
        .endsWith("status 0");
  }
}
