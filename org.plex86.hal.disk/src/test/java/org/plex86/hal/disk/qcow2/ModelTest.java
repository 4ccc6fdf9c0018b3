// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.plex86.hal.disk.fixture.Fixtures;
import org.plex86.hal.disk.format.ImageMaker;
import org.plex86.hal.disk.format.Images;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;

/** Any sequence of requests leaves the image as it would leave an array, and its tables right. */
class ModelTest {
  private static final int SIZE = 3 << 20;
  private final Path folder = newFolder();

  private static Path newFolder() {
    try {
      return Files.createTempDirectory("model");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterProperty
  void remove() throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  /** The files of an image that goes from one object to the next. */
  private static final class Handed implements Images.Files {
    final Map<Path, FileChannel> channels = new HashMap<>();

    @Override
    public DiskFile open(Path path, boolean writable) throws IOException {
      FileChannel channel = channels.get(path);
      return channel == null
          ? DiskFile.open(path, writable)
          : DiskFile.adopt(path, writable, channel, java.util.List.of());
    }

    @Override
    public DiskFile temporary() {
      throw new AssertionError("not asked for");
    }
  }

  private Path make(int clusterBits, boolean below, byte[] model, Random random)
      throws IOException {
    Path file = folder.resolve("top.qcow2");
    Path base = folder.resolve("base.raw");
    Files.deleteIfExists(file);
    if (below) {
      byte[] bytes = new byte[SIZE / 2 + 512];
      random.nextBytes(bytes);
      Files.write(base, bytes);
      System.arraycopy(bytes, 0, model, 0, bytes.length);
    }
    try (DiskFile made = DiskFile.create(file)) {
      Qcow2Creator.create(made, SIZE, clusterBits, below ? "base.raw" : null, below ? "raw" : null);
    }
    return file;
  }

  @Property(tries = 40)
  void isLikeAnArray(
      @ForAll long seed,
      @ForAll @IntRange(min = 9, max = 17) int clusterBits,
      @ForAll boolean below)
      throws Exception {
    Random random = new Random(seed);
    byte[] model = new byte[SIZE];
    Path file = make(clusterBits, below, model, random);
    DiskImage image = Fixtures.open(file, true);
    for (int i = 0; i < 80; i++) {
      int at = random.nextInt(SIZE / 512) * 512;
      int length =
          Math.min(SIZE - at, (1 + random.nextInt(random.nextInt(8) == 0 ? 900 : 40)) * 512);
      image = step(image, random, model, at, length);
    }
    assertThat(Fixtures.readAll(image)).isEqualTo(model);
    image.flush();
    image.close();
    try (DiskImage again = Fixtures.open(file, false)) {
      assertThat(Fixtures.readAll(again)).isEqualTo(model);
      Findings found = ((Qcow2Image) again).check();
      assertThat(found.errors()).isZero();
      assertThat(found.leaks()).isZero();
    }
    if (Fixtures.has("qemu-img")) {
      assertThat(Fixtures.run("qemu-img", "check", file.toString()))
          .contains("No errors were found")
          .endsWith("status 0");
      Path raw = folder.resolve("model.raw");
      Files.write(raw, model);
      assertThat(Fixtures.run("qemu-img", "compare", "-f", "raw", raw.toString(), file.toString()))
          .endsWith("status 0");
    }
  }

  private DiskImage step(DiskImage image, Random random, byte[] model, int at, int length)
      throws IOException {
    switch (random.nextInt(10)) {
      case 0, 1, 2, 3 -> {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        if (!image.tryWrite(at, Fixtures.vector(bytes))) {
          Fixtures.write(image, at, bytes);
        }
        System.arraycopy(bytes, 0, model, at, length);
      }
      case 4 -> {
        image.writeZeroes(at, length, true);
        Arrays.fill(model, at, at + length, (byte) 0);
      }
      case 5 -> {
        image.discard(at, length);
        // what it reads as is the device's choice; here whole clusters read as zeros
        System.arraycopy(Fixtures.read(image, at, length), 0, model, at, length);
      }
      case 6 -> image.flush();
      case 7 -> {
        return reopen(image);
      }
      default ->
          assertThat(Fixtures.read(image, at, length))
              .isEqualTo(Arrays.copyOfRange(model, at, at + length));
    }
    return image;
  }

  /** As a swap of the bundle does it. */
  private static DiskImage reopen(DiskImage image) throws IOException {
    Map<String, Object> state = image.suspend();
    Handed files = new Handed();
    for (DiskFile file : image.files()) {
      files.channels.put(file.path(), file.channel());
    }
    image.abandon();
    return Images.open(files, image.files().get(0).path(), "qcow2", true, state);
  }

  @Property(tries = 3)
  void smallClustersMakeTheTablesGrow(@ForAll @IntRange(min = 9, max = 10) int clusterBits)
      throws Exception {
    Path file = folder.resolve("grow.qcow2");
    Files.deleteIfExists(file);
    byte[] bytes = new byte[20 << 20];
    new Random(clusterBits).nextBytes(bytes);
    try (DiskFile made = DiskFile.create(file)) {
      Qcow2Creator.create(made, 1 << 20, clusterBits, null, null);
    }
    try (DiskImage image = Fixtures.open(file, true)) {
      image.resize(bytes.length);
      Fixtures.write(image, 0, bytes);
      image.flush();
      assertThat(Fixtures.readAll(image)).isEqualTo(bytes);
    }
    try (DiskImage image = Fixtures.open(file, false)) {
      Findings found = ((Qcow2Image) image).check();
      assertThat(found.errors()).isZero();
      assertThat(found.leaks()).isZero();
    }
    if (Fixtures.has("qemu-img")) {
      assertThat(Fixtures.run("qemu-img", "check", file.toString())).endsWith("status 0");
    }
    Path raw = folder.resolve("grow.raw");
    Path back = folder.resolve("back.qcow2");
    Files.deleteIfExists(raw);
    Files.deleteIfExists(back);
    try (DiskImage image = Fixtures.open(file, false)) {
      ImageMaker.convert(image, raw, "raw");
      ImageMaker.convert(image, back, "qcow2");
    }
    assertThat(Files.mismatch(raw, write(folder.resolve("bytes"), bytes))).isEqualTo(-1);
    try (DiskImage image = Fixtures.open(back, false)) {
      assertThat(Fixtures.readAll(image)).isEqualTo(bytes);
    }
  }

  private static Path write(Path file, byte[] bytes) throws IOException {
    return Files.write(file, bytes);
  }
}
