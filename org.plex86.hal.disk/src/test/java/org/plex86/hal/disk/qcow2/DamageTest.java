// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import org.plex86.hal.disk.fixture.Fixtures;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;

/** Images with damage of every kind: a clear line, or errors of requests; nothing else. */
class DamageTest {
  private static final int PIECE = 64 << 10;

  /** Sizes, offsets and references at the ends of what a field can hold. */
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    511,
    512,
    1L << 40,
    1L << 55,
    1L << 62,
    0xffffffffL,
    0x80000000L,
    0x7fffffffL,
    ClusterMap.COPIED | 1L << 16,
    0x00fffffffffffe00L
  };

  /** Of the header: where a file is, what is how large, and how much there is of it. */
  private static final int[] FIELDS = {8, 16, 20, 24, 36, 40, 48, 56, 60, 64, 72, 80, 88, 96, 100};

  private final Path folder = newFolder();
  private int opened;

  private static Path newFolder() {
    try {
      return Files.createTempDirectory("damage");
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
    assertThat(opened).as("images that could be opened").isPositive();
  }

  @Provide
  Arbitrary<String> names() {
    return Arbitraries.of("v2", "v3", "compressed", "snap", "base", "lazy");
  }

  @Property(tries = 600)
  void onlyIoErrorsComeOutOfDamage(
      @ForAll("names") String name, @ForAll long seed, @ForAll boolean writable)
      throws IOException {
    Random random = new Random(seed);
    Path file = Fixtures.unpack(name, folder);
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      damage(bytes, random);
    }
    int length = random.nextInt(5) == 0 ? random.nextInt(bytes.length) : bytes.length;
    Files.write(file, Arrays.copyOf(bytes, length));
    try (OpenFiles files = new OpenFiles();
        DiskImage image = files.image(file, "qcow2", writable)) {
      opened++;
      use(image, random);
    } catch (IOException e) {
      assertThat(e.getMessage()).isNotBlank().doesNotContainPattern("\\p{Cntrl}");
    }
  }

  private static void damage(byte[] bytes, Random random) {
    ByteBuffer all = ByteBuffer.wrap(bytes);
    int tables = Math.min(bytes.length, 8 * 4096); // where QEMU puts them
    long extreme = EXTREMES[random.nextInt(EXTREMES.length)];
    switch (random.nextInt(9)) {
      case 5 -> all.putInt(FIELDS[random.nextInt(FIELDS.length)], (int) extreme);
      case 6 -> all.putLong(FIELDS[random.nextInt(FIELDS.length)], extreme);
      case 7 -> all.putLong(random.nextInt(tables / 8) * 8, extreme);
      case 8 -> // a cluster as it was another's
          System.arraycopy(
              bytes,
              random.nextInt(bytes.length / 4096) * 4096,
              bytes,
              random.nextInt(bytes.length / 4096) * 4096,
              4096);
      case 0 -> bytes[8 + random.nextInt(104)] = (byte) random.nextInt();
      case 1 -> bytes[random.nextInt(tables)] ^= (byte) (1 << random.nextInt(8));
      case 2 -> all.putLong(random.nextInt(tables / 8) * 8, random.nextLong());
      case 3 -> // a reference to some other cluster
          all.putLong(
              0x1000 + random.nextInt(tables / 8 - 512) * 8,
              random.nextInt(32) * 4096L | (long) random.nextInt(4) << 62 | random.nextInt(2));
      default -> all.putShort(0x1000 + random.nextInt(tables / 2 - 2048) * 2, (short) 0);
    }
  }

  /** Requests of all kinds; each may fail. */
  private static void use(DiskImage image, Random random) throws IOException {
    List<Request> requests =
        List.of(
            at -> image.read(at, Fixtures.vector(new byte[PIECE])),
            at -> image.tryRead(at, Fixtures.vector(new byte[PIECE])),
            at -> image.write(at, Fixtures.vector(new byte[5000])),
            at -> image.tryWrite(at, Fixtures.vector(new byte[512])),
            at -> image.writeZeroes(at, PIECE, true),
            at -> image.discard(at, PIECE),
            at -> image.flush(),
            at -> image.resize(image.size() + (1 << 20)),
            at -> image.nextData(at),
            at -> ((Qcow2Image) image).check());
    if (image.size() < PIECE) {
      return;
    }
    for (int i = 0; i < 30; i++) {
      int which = random.nextInt(requests.size());
      if (!image.isWritable() && which >= 2 && which <= 7) {
        continue;
      }
      long at = Math.floorMod(random.nextLong(), Math.min(image.size(), 2 << 20) - PIECE + 1);
      try {
        requests.get(which).on(at);
      } catch (IOException e) {
        assertThat(e.getMessage()).isNotBlank().doesNotContainPattern("\\p{Cntrl}");
      }
    }
  }

  private interface Request {
    void on(long at) throws IOException;
  }
}
