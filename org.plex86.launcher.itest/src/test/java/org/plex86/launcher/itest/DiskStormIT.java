// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.launcher.itest.storm.StormBundle;

/** The disk's bundle is replaced while a guest writes to a disk and reads it again. */
class DiskStormIT {
  private static final int ROUNDS = 36;

  @TempDir Path folder;

  /** Each round other data at another place; what is read again comes from the image. */
  private static final String WRITE_AND_COMPARE =
      "set -e; i=0; while [ $i -lt "
          + ROUNDS
          + " ]; do head -c 6000000 /dev/urandom > /tmp/x;"
          + " dd if=/tmp/x of=/dev/vda bs=64k seek=$i conv=fsync 2>/dev/null;"
          + " echo 3 > /proc/sys/vm/drop_caches;"
          + " dd if=/dev/vda bs=64k skip=$i 2>/dev/null | head -c 6000000 | cmp - /tmp/x;"
          + " i=$((i+1)); done; sha256sum < /tmp/x";

  @Test
  void bytesOnDiskAreThoseThatWereWrittenWhenItsBundleIsReplaced() throws Exception {
    Path image = folder.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8 << 20);
    }
    Path count = folder.resolve("count");
    Path bundles = Files.createDirectory(folder.resolve("bundles"));
    StormBundle.write(bundles.resolve("storm.jar"), "org.plex86.hal.disk", count);
    Plex86.Result result =
        Plex86.run(
            "run",
            "--bundles",
            bundles.toString(),
            "--disk",
            "file=" + image + ",format=raw",
            "--exec",
            WRITE_AND_COMPARE);
    assertThat(result.errors()).isEmpty();
    assertThat(result.status()).isZero();
    assertThat(result.text()).isEqualTo(sha256(image, (ROUNDS - 1) << 16, 6_000_000) + "  -\n");
    assertThat(Integer.parseInt(Files.readString(count))).isGreaterThan(20);
  }

  private static String sha256(Path image, long from, int length) throws Exception {
    byte[] data = new byte[length];
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(from);
      file.readFully(data);
    }
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
  }
}
