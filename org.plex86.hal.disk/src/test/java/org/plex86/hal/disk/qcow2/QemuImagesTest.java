// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.disk.fixture.Fixtures;
import org.plex86.hal.disk.image.DiskImage;

/** Images made by QEMU. */
class QemuImagesTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"v2", "base", "lazy"})
  void readsWhatQemuHasWritten(String name) throws IOException {
    try (DiskImage image = Fixtures.open(Fixtures.unpack(name, folder), false)) {
      assertThat(Fixtures.readAll(image)).isEqualTo(Fixtures.content());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v3", "compressed"})
  void readsClustersOfZerosAndCompressedOnes(String name) throws IOException {
    byte[] expected = Fixtures.content();
    for (int at : new int[] {8, 16, 24}) {
      Arrays.fill(expected, at << 10, (at + 4) << 10, (byte) 0);
    }
    try (DiskImage image = Fixtures.open(Fixtures.unpack(name, folder), false)) {
      assertThat(Fixtures.readAll(image)).isEqualTo(expected);
      assertThat(Fixtures.read(image, 3000, 70000))
          .isEqualTo(Arrays.copyOfRange(expected, 3000, 73000));
    }
  }

  @Test
  void readsWhatIsBelow() throws IOException {
    Fixtures.unpack("base", folder);
    byte[] expected = Arrays.copyOf(Fixtures.content(), 2 << 20);
    Arrays.fill(expected, 70 << 10, 71 << 10, (byte) 0x55);
    try (DiskImage image = Fixtures.open(Fixtures.unpack("above", folder), false)) {
      assertThat(Fixtures.readAll(image)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"v2", "v3", "compressed", "snap", "lazy", "above"})
  void writesToAllOfIt(String name) throws Exception {
    Fixtures.unpack("base", folder);
    Path file = Fixtures.unpack(name, folder);
    byte[] expected;
    try (DiskImage image = Fixtures.open(file, true)) {
      expected = Fixtures.readAll(image);
      for (int at : new int[] {0, 5000, 70_000, 200_000, 1_020_000}) {
        byte[] bytes = new byte[9_001];
        Arrays.fill(bytes, (byte) at);
        Fixtures.write(image, at, bytes);
        System.arraycopy(bytes, 0, expected, at, bytes.length);
      }
      image.flush();
      assertThat(Fixtures.readAll(image)).isEqualTo(expected);
    }
    try (DiskImage image = Fixtures.open(file, false)) {
      assertThat(Fixtures.readAll(image)).isEqualTo(expected);
      Findings found = ((Qcow2Image) image).check();
      assertThat(found.errors()).isZero();
      assertThat(found.leaks()).isZero();
    }
  }

  @Test
  void snapshotIsKeptWhenTheDiskIsWrittenTo() throws Exception {
    Path file = Fixtures.unpack("snap", folder);
    try (DiskImage image = Fixtures.open(file, true)) {
      Fixtures.write(image, 0, new byte[1 << 20]);
      image.flush();
    }
    if (Fixtures.has("qemu-img")) {
      assertThat(Fixtures.run("qemu-img", "snapshot", "-a", "one", file.toString()))
          .endsWith("status 0");
      try (DiskImage image = Fixtures.open(file, false)) {
        assertThat(Fixtures.readAll(image)).isEqualTo(Fixtures.content());
      }
    }
    try (DiskImage image = Fixtures.open(file, true)) {
      assertThatThrownBy(() -> image.resize(4 << 20)).hasMessageContaining("internal snapshots");
    }
  }

  @Test
  void dirtyImageIsPutRightWhenItIsOpenedForWriting() throws Exception {
    Path file = Fixtures.unpack("lazy", folder);
    try (DiskImage image = Fixtures.open(file, false)) {
      assertThat(((Qcow2Image) image).check().errors()).isEqualTo(19);
    }
    Fixtures.open(file, true).close();
    try (DiskImage image = Fixtures.open(file, false)) {
      assertThat(((Qcow2Image) image).check()).isEqualTo(new Findings(0, 0, 24));
      assertThat(Fixtures.readAll(image)).isEqualTo(Fixtures.content());
    }
    byte[] features = Arrays.copyOfRange(Files.readAllBytes(file), 72, 80);
    assertThat(features).isEqualTo(new byte[8]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "zstd | has clusters compressed with zstd, which are not supported",
        "ext | has the incompatible feature 'extended L2 entries', which is not supported",
        "bits | has reference counts of 1 bits; only 16 bits are supported",
        "data | has the incompatible feature 'external data file', which is not supported"
      })
  void refusesByName(String name, String message) {
    Path file = Fixtures.unpack(name, folder);
    assertThatThrownBy(() -> Fixtures.open(file, false))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("'" + file + "' " + message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 0 | is not a qcow2 image",
        "4 | 9 | is of qcow2 version 9",
        "20 | 8 | its cluster_bits are 8, not 9 to 21",
        "20 | 22 | its cluster_bits are 22, not 9 to 21",
        "24 | 1152921504 | the size of the disk is",
        "32 | 1 | is encrypted (method 1)",
        "36 | 0 | its L1 table has 0 entries, the disk needs 1",
        "36 | -1 | its L1 table has 4294967295 entries",
        "44 | 4097 | its L1 table at 0x1001 is not within the file",
        "40 | 1 | is not within the file of 98304 bytes",
        "52 | 0 | its refcount table at 0x0",
        "56 | 2147483647 | its refcount table",
        "60 | -1 | its table of 4294967295 snapshots",
        "72 | -2147483648 | has the incompatible feature 'bit 63'",
        "100 | 5 | its header has a length of 5",
        "12 | 50 | the name of its backing file",
        "8 | 1 | the name of its backing file"
      })
  void refusesHeadersThatAreWrong(int at, int value, String message) throws IOException {
    Path file = Fixtures.unpack("v3", folder);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer.wrap(bytes).putInt(at, value);
    Files.write(file, bytes, StandardOpenOption.TRUNCATE_EXISTING);
    assertThatThrownBy(() -> Fixtures.open(file, true))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("'" + file + "' ")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void entryBeyondTheFileIsAnErrorOfThatRequestOnly() throws IOException {
    Path file = Fixtures.unpack("v2", folder);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer all = ByteBuffer.wrap(bytes);
    int l2 = (int) (all.getLong((int) all.getLong(40)) & 0xffffff);
    all.putLong(l2, 1L << 40 | 1L << 63);
    all.putLong(l2 + 8, 0x1000 | 1L << 63); // a table of the image
    Files.write(file, bytes);
    try (DiskImage image = Fixtures.open(file, true)) {
      for (int at : new int[] {0, 4096}) {
        assertThatThrownBy(() -> Fixtures.read(image, at, 512)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> Fixtures.write(image, at, new byte[512]))
            .isInstanceOf(IOException.class);
      }
      assertThat(Fixtures.read(image, 8192, 4)).containsOnly(0x11);
    }
  }
}
