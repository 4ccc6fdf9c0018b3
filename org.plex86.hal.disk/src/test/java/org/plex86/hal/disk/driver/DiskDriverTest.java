// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.hal.api.HalException;
import org.plex86.hal.disk.fixture.Fixtures;
import org.plex86.hal.disk.format.ImageMaker;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestQueue;

/** Disks over real files, in a modelled slot. */
@Timeout(60)
class DiskDriverTest {
  private static final int SIZE = 4 << 20;
  @TempDir Path folder;
  private Path raw;

  @BeforeEach
  void makeFile() throws IOException {
    raw = folder.resolve("disk.raw");
    Files.write(raw, new byte[SIZE]);
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private String make(String format) throws IOException {
    Path file = folder.resolve("made." + format);
    ImageMaker.create(file, format, SIZE, null, null);
    return file.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void whatIsWrittenIsReadAndInTheFile(String format) throws Exception {
    String file = make(format);
    byte[] bytes = random(1, 300 * 512);
    try (DiskGuest guest = new DiskGuest("file", file)) {
      assertThat(guest.ask(guest.write(7, bytes)).status()).isZero();
      assertThat(guest.ask(guest.read(7, bytes.length)).data()).isEqualTo(bytes);
      assertThat(guest.ask(guest.other(DiskGuest.FLUSH, new byte[0])).status()).isZero();
      assertThat(guest.slot.errors()).isEmpty();
    }
    try (DiskImage image = new OpenFiles().image(Path.of(file), null, false)) {
      assertThat(Fixtures.read(image, 7 * 512, bytes.length)).isEqualTo(bytes);
    }
  }

  /** Which two threads may share. */
  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void largeReadsThatWaitTogetherAreAllRight(String format) throws Exception {
    int piece = 512 << 10;
    byte[] bytes = random(6, SIZE);
    try (DiskGuest guest = new DiskGuest("file", make(format))) {
      assertThat(guest.ask(guest.write(0, bytes)).status()).isZero();
      for (int round = 0; round < 50; round++) {
        IdentityHashMap<TestPacket, Integer> places = new IdentityHashMap<>();
        for (int at = 0; at < SIZE; at += piece) {
          TestPacket packet = guest.read(at / 512, piece);
          places.put(packet, at);
          assertThat(guest.slot.virtqueue(0).add(packet)).isTrue();
        }
        guest.slot.run(() -> guest.slot.channel().notify(0));
        while (!places.isEmpty()) {
          TestQueue.Used used = guest.await();
          int at = places.remove(used.packet());
          assertThat(DiskGuest.answer(used).data())
              .isEqualTo(Arrays.copyOfRange(bytes, at, at + piece));
        }
      }
    }
  }

  @Test
  void configurationSpaceTellsSizeAndLimits() throws Exception {
    try (DiskGuest guest = new DiskGuest("file", raw.toString())) {
      ByteBuffer space =
          ByteBuffer.wrap(guest.slot.channel().configSpace()).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(space.getLong(0)).isEqualTo(SIZE / 512);
      assertThat(space.getInt(12)).isEqualTo(254);
      assertThat(space.getInt(20)).isEqualTo(512);
      TestPacket id = TestPacket.request(DiskGuest.header(DiskGuest.GET_ID, 0), 21);
      String name = new String(guest.ask(id).data(), StandardCharsets.UTF_8);
      assertThat(name).startsWith(guest.slot.channelName()).hasSize(20).endsWith("\0");
    }
  }

  @Test
  void readOnlyDiskIsNotWrittenTo() throws Exception {
    byte[] before = Files.readAllBytes(raw);
    try (DiskGuest guest = new DiskGuest("file", raw.toString(), "readonly", "on")) {
      assertThat(guest.slot.channel().features() & 1 << 5).isNotZero();
      assertThat(guest.ask(guest.write(0, random(2, 512))).status()).isEqualTo(DiskGuest.IO_ERROR);
      byte[] range = DiskGuest.range(0, 8, 0);
      assertThat(guest.ask(guest.other(DiskGuest.DISCARD, range)).status())
          .isEqualTo(DiskGuest.IO_ERROR);
    }
    assertThat(Files.readAllBytes(raw)).isEqualTo(before);
  }

  @Test
  void overlayKeepsTheImageAndLeavesNoFile() throws Exception {
    byte[] before = random(3, SIZE);
    Files.write(raw, before);
    byte[] bytes = random(4, 5 * 512);
    byte[] expected = Arrays.copyOf(before, 70_144);
    System.arraycopy(bytes, 0, expected, 512, bytes.length);
    try (DiskGuest guest = new DiskGuest("file", raw.toString(), "overlay", "on")) {
      assertThat(guest.ask(guest.write(1, bytes)).status()).isZero();
      guest.swap();
      assertThat(guest.ask(guest.read(0, expected.length)).data()).isEqualTo(expected);
    }
    assertThat(Files.readAllBytes(raw)).isEqualTo(before);
  }

  @Test
  void discardAndWriteZeroesGiveStorageBack() throws Exception {
    Files.write(raw, random(5, SIZE));
    try (DiskGuest guest = new DiskGuest("file", raw.toString())) {
      byte[] two = Arrays.copyOf(DiskGuest.range(0, 2048, 0), 32);
      System.arraycopy(DiskGuest.range(4096, 2048, 0), 0, two, 16, 16);
      assertThat(guest.ask(guest.other(DiskGuest.DISCARD, two)).status()).isZero();
      byte[] zeroes = DiskGuest.range(2048, 2048, 1);
      assertThat(guest.ask(guest.other(DiskGuest.WRITE_ZEROES, zeroes)).status()).isZero();
      assertThat(guest.ask(guest.read(2048, 1 << 20)).data()).containsOnly(0);
      byte[] beyond = DiskGuest.range(SIZE / 512 - 1, 2, 0);
      assertThat(guest.ask(guest.other(DiskGuest.DISCARD, beyond)).status())
          .isEqualTo(DiskGuest.IO_ERROR);
      byte[] flags = DiskGuest.range(0, 1, 2);
      assertThat(guest.ask(guest.other(DiskGuest.WRITE_ZEROES, flags)).status())
          .isEqualTo(DiskGuest.UNSUPPORTED);
      assertThat(guest.ask(guest.other(DiskGuest.DISCARD, new byte[15])).status())
          .isEqualTo(DiskGuest.IO_ERROR);
      assertThat(guest.ask(guest.other(99, new byte[0])).status()).isEqualTo(DiskGuest.UNSUPPORTED);
    }
    try (DiskImage image = new OpenFiles().image(raw, null, false)) {
      assertThat(image.files().get(0).allocated()).isEqualTo(SIZE - (3 << 20));
    }
  }

  @ParameterizedTest
  @CsvSource({"8192,512", "8191,1024", "-1,512", "9223372036854775807,512", "0,511", "0,513"})
  void requestsPastTheEndOrNotOfWholeSectorsFail(long sector, int bytes) throws Exception {
    try (DiskGuest guest = new DiskGuest("file", raw.toString())) {
      assertThat(guest.ask(guest.read(sector, bytes)).status()).isEqualTo(DiskGuest.IO_ERROR);
      assertThat(guest.ask(guest.write(sector, new byte[bytes])).status())
          .isEqualTo(DiskGuest.IO_ERROR);
    }
    assertThat(Files.size(raw)).isEqualTo(SIZE);
  }

  @Test
  void requestsOfAnyShapeAreAnswered() throws Exception {
    Random random = new Random(6);
    try (DiskGuest guest = new DiskGuest("file", make("qcow2"))) {
      for (int i = 0; i < 3000; i++) {
        byte[] sent = random(i, random.nextInt(64));
        if (sent.length > 3 && random.nextBoolean()) {
          Arrays.fill(sent, 0, 4, (byte) 0);
          sent[0] = (byte) random.nextInt(16);
        }
        TestPacket packet = TestPacket.request(sent, random.nextInt(3000));
        guest.submit(packet);
        assertThat(guest.await().packet()).isSameAs(packet);
      }
    }
  }

  @Test
  void truncatedImageFailsWhatIsMissingAndRecovers() throws Exception {
    byte[] content = random(7, SIZE);
    Files.write(raw, content);
    try (DiskGuest guest = new DiskGuest("file", raw.toString())) {
      try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
        file.setLength(SIZE / 2);
        for (int i = 0; i < 3; i++) {
          assertThat(guest.ask(guest.read(SIZE / 512 - 8, 4096)).status())
              .isEqualTo(DiskGuest.IO_ERROR);
        }
        assertThat(guest.ask(guest.read(0, 4096)).data()).isEqualTo(Arrays.copyOf(content, 4096));
        assertThat(guest.slot.errors().stream().distinct())
            .containsExactly("cannot read '" + raw + "', the guest gets an IO error");
        file.setLength(SIZE);
      }
      assertThat(guest.ask(guest.read(SIZE / 512 - 8, 4096)).status()).isZero();
    }
  }

  @Test
  void liveResizeIsSeenByTheGuest() throws Exception {
    try (DiskGuest guest = new DiskGuest("file", make("qcow2"))) {
      DiskCommands commands = new DiskCommands(guest.driver);
      String channel = guest.slot.channelName();
      assertThat(commands.resize("vm1", channel, "8M")).contains("has 8M now");
      guest.slot.run(() -> {});
      long sectors = ByteBuffer.wrap(guest.slot.config()).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
      assertThat(sectors).isEqualTo((8 << 20) / 512);
      assertThat(guest.ask(guest.write(sectors - 1, new byte[512])).status()).isZero();
      for (String wrong : new String[] {"4M", "8M", "x", "-1", "99999T", "100000001"}) {
        assertThatThrownBy(() -> commands.resize("vm1", channel, wrong))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThatThrownBy(() -> commands.resize("vm2", channel, "1G"))
          .hasMessageContaining("there is no disk");
      guest.swap();
      assertThat(
              ByteBuffer.wrap(guest.slot.channel().configSpace())
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .getLong(0))
          .isEqualTo(sectors);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void requestsInFlightSurviveSwaps(String format) throws Exception {
    Random random = new Random(8);
    byte[] model = new byte[SIZE];
    try (DiskGuest guest = new DiskGuest("file", make(format))) {
      for (int round = 0; round < 100; round++) {
        int count = 1 + random.nextInt(20);
        for (int i = 0; i < count; i++) {
          int sector = random.nextInt(200) * 40 + i;
          byte[] bytes = random(round * 100 + i, 512);
          System.arraycopy(bytes, 0, model, sector * 512, 512);
          guest.slot.virtqueue(0).add(guest.write(sector, bytes));
          guest.slot.virtqueue(0).add(guest.other(DiskGuest.FLUSH, new byte[0]));
        }
        guest.slot.run(() -> guest.slot.channel().notify(0));
        assertThat(guest.swap()).isEmpty();
        for (int i = 0; i < 2 * count; i++) {
          TestQueue.Used used = guest.await();
          assertThat(DiskGuest.answer(used).status()).isZero();
        }
      }
      assertThat(guest.ask(guest.read(0, SIZE)).data()).isEqualTo(model);
      assertThat(guest.slot.errors()).isEmpty();
    }
  }

  @Test
  void imageIsLockedWhileItIsUsedAlsoAcrossASwap() throws Exception {
    Path link = Files.createLink(folder.resolve("other-name.raw"), raw);
    try (DiskGuest guest = new DiskGuest("file", raw.toString())) {
      guest.swap();
      for (String readonly : new String[] {"on", "off"}) {
        assertThatThrownBy(() -> new DiskGuest("file", link.toString(), "readonly", readonly))
            .isInstanceOf(HalException.class)
            .hasMessageContaining("virtual machine or program");
      }
      assertThat(guest.ask(guest.read(0, 512)).status()).isZero();
    }
    new DiskGuest("file", link.toString()).close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "file,/nowhere/x | there is no file '/nowhere/x'",
        "file,/dev/null | is neither a file nor a block device",
        "file,/ | is a folder",
        "file,@empty | is empty",
        "file,@disk.raw,format,qcow2 | is not a qcow2 image",
        "file,@disk.raw,format,vdi | give raw or qcow2",
        "file,@disk.raw,iops,0 | give a number above 0",
        "file,@disk.raw,bps,fast | give a number above 0",
        "file,@disk.raw,readonly,on,overlay,on | exclude each other",
        "file,@named.qcow2 | is named as a qcow2 image, but is none",
        "file,@hidden.raw | begins as a qcow2 image does, but is not named .qcow2",
        "file,@loop.qcow2 | is its own backing file",
        "file,@orphan.qcow2 | there is no file"
      })
  void refusesWithOneLine(String options, String message) throws Exception {
    Files.createFile(folder.resolve("empty"));
    Files.write(folder.resolve("named.qcow2"), new byte[4096]);
    ImageMaker.create(folder.resolve("hidden.raw"), "qcow2", SIZE, null, null);
    ImageMaker.create(folder.resolve("loop.qcow2"), "qcow2", SIZE, "loop2.qcow2", "qcow2");
    ImageMaker.create(folder.resolve("loop2.qcow2"), "qcow2", SIZE, "./loop.qcow2", "qcow2");
    ImageMaker.create(folder.resolve("orphan.qcow2"), "qcow2", SIZE, "gone.raw", "raw");
    String[] words = options.replace("@", folder + "/").split(",");
    assertThatThrownBy(() -> new DiskGuest(words))
        .isInstanceOf(HalException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
    // nothing of it stays open or locked
    new DiskGuest("file", raw.toString()).close();
  }

  @Test
  void limitedDiskServesNoMoreThanItMay() throws Exception {
    try (DiskGuest guest = new DiskGuest("file", raw.toString(), "iops", "200")) {
      long start = System.nanoTime();
      for (int i = 0; i < 70; i++) {
        guest.slot.virtqueue(0).add(guest.read(i, 512));
      }
      guest.slot.run(() -> guest.slot.channel().notify(0));
      for (int i = 0; i < 70; i++) {
        guest.await();
      }
      // 20 at once, 50 at 200 a second: a limit from below holds on any host
      assertThat((System.nanoTime() - start) / 1_000_000).isGreaterThan(240);
    }
  }
}
