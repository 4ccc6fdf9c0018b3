// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.GuestRam;

class BootLoaderTest {
  private static final long RAM = 24 << 20;
  private static final int BOOT_PARAMS = 0x90000;

  @TempDir Path directory;
  private GuestRam ram;
  private final KernelBuilder kernel = new KernelBuilder();

  @BeforeEach
  void makeRam() throws IOException {
    try (Fd fd = Fd.sealedMemory("ram", RAM)) {
      ram = new GuestRam(fd, RAM);
    }
  }

  @Test
  void elfKernelIsLoadedWhereItsSegmentsSay() throws Exception {
    assertLoaded(kernel.elf());
  }

  @Test
  void bzImageGivesTheKernelInItsPayload() throws Exception {
    assertLoaded(kernel.bzImage());
  }

  private void assertLoaded(byte[] image) throws Exception {
    BootLoader.Start start = load(image, null, "quiet");
    assertThat(start).isEqualTo(new BootLoader.Start(KernelBuilder.CODE + 4, BOOT_PARAMS));
    assertThat(ram.slice(KernelBuilder.CODE, 16).get(15)).isEqualTo((byte) 0xcf);
    assertThat(ram.slice(KernelBuilder.DATA, 32).get(0)).isEqualTo((byte) 0xd0);
    assertThat(ram.slice(KernelBuilder.DATA, 32).get(16)).isZero();
  }

  @Test
  void bootParamsDescribeMemoryCommandLineAndInitrd() throws Exception {
    byte[] initrd = {1, 2, 3, 4, 5};
    load(kernel.elf(), initrd, "console=hvc0");
    ByteBuffer params = ram.slice(BOOT_PARAMS, 4096);
    assertThat(params.getInt(0x202)).isEqualTo(0x53726448);
    assertThat(params.get(0x1e8)).isEqualTo((byte) 2);
    assertThat(params.getLong(0x2d0)).isZero();
    assertThat(params.getLong(0x2d8)).isEqualTo(0x9f000);
    assertThat(params.getLong(0x2e4)).isEqualTo(0x100000);
    assertThat(params.getLong(0x2ec)).isEqualTo(RAM - 0x100000);
    assertThat(text(params.getInt(0x228))).isEqualTo("console=hvc0");
    assertThat(params.getInt(0x21c)).isEqualTo(5);
    assertThat(params.getInt(0x218)).isEqualTo((int) RAM - 4096);
    byte[] loaded = new byte[5];
    ram.slice(RAM - 4096, 5).get(loaded);
    assertThat(loaded).isEqualTo(initrd);
  }

  @Test
  void everyBootGetsAnotherSeed() throws Exception {
    load(kernel.elf(), null, "");
    long first = ram.slice(0x99010, 8).getLong();
    load(kernel.elf(), null, "");
    assertThat(ram.slice(0x99010, 8).getLong()).isNotEqualTo(first);
  }

  @Test
  void kernelThatWasNotBuiltForPlex86IsRecognised() {
    kernel.note = "Linux";
    assertRefused(kernel.elf(), "was not built for plex86");
  }

  @Test
  void kernelOfAnotherAbiIsRecognised() {
    kernel.abi = 1;
    assertRefused(kernel.elf(), "version 1 of the plex86 guest ABI, this monitor has version 2");
  }

  @Test
  void kernelThatNeedsMoreMemoryThanThereIsIsRefusedWithTheSizeItNeeds() {
    kernel.dataMemory = 0x7f000000;
    assertRefused(kernel.elf(), "needs 2037M of memory for itself alone, the machine has 24M");
  }

  @ParameterizedTest
  @CsvSource({
    "4, 2, is not a 32-bit kernel",
    "5, 2, is not built for x86",
    "18, 62, is not built for x86",
    "16, 3, is not an executable",
    "44, 0, 0 program headers",
    "42, 1, program headers of 1 bytes",
    "31, 127, program headers lie beyond its end",
    "27, 127, lies in no segment",
    "64, 1, 'below the first MiB'",
  })
  void strangeElfHeaderIsNamed(int at, int value, String message) {
    byte[] elf = kernel.elf();
    elf[at] = (byte) value;
    elf[at == 64 ? 66 : at] = at == 64 ? 0 : (byte) value;
    assertRefused(elf, message);
  }

  @Test
  void overlappingSegmentsAreRefused() {
    byte[] elf = kernel.elf();
    ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN).putInt(52 + 20, 0x2000);
    assertRefused(elf, "its segments overlap");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 51, 60, 0x1005, 0x2008})
  void elfThatIsCutShortIsRefused(int length) {
    assertThatThrownBy(() -> load(Arrays.copyOf(kernel.elf(), length), null, ""))
        .isInstanceOf(BootException.class)
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "42 5a 68 39, bzip2",
    "fd 37 7a 58, xz",
    "28 b5 2f fd, zstd",
    "02 21 4c 18, lz4",
    "5d 00 00 00, lzma",
    "89 4c 5a 4f, lzo",
    "11 22 33 44, an unknown method",
  })
  void otherCompressionIsNamed(String magic, String name) {
    byte[] image = kernel.bzImage();
    String[] bytes = magic.split(" ");
    for (int i = 0; i < 4; i++) {
      image[5 * 512 + 0x100 + i] = (byte) Integer.parseInt(bytes[i], 16);
    }
    assertRefused(image, "is compressed with " + name);
  }

  @Test
  void bzImageThatEndsInItsPayloadIsRefused() {
    byte[] image = kernel.bzImage();
    assertThatThrownBy(() -> load(Arrays.copyOf(image, image.length - 40), null, ""))
        .isInstanceOf(BootException.class);
  }

  @Test
  void textIsNoKernel() {
    assertRefused(
        "#!/bin/sh\n".repeat(200).getBytes(StandardCharsets.UTF_8),
        "neither an ELF vmlinux nor a bzImage");
  }

  @Test
  void initrdThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> load(kernel.elf(), new byte[20 << 20], ""))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("does not fit behind the kernel into 24M of memory");
  }

  @Test
  void commandLineThatIsTooLongIsRefused() throws Exception {
    load(kernel.elf(), null, "x".repeat(2047));
    assertThatThrownBy(() -> load(kernel.elf(), null, "x".repeat(2048)))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("has 2048 bytes, at most 2047");
  }

  @Test
  void fileThatIsNotThereIsNamed() {
    BootFiles files = BootFiles.of(directory.resolve("no"), null, null, null);
    assertThatThrownBy(() -> BootLoader.load(files, "", ram))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("there is no file " + directory.resolve("no"));
    BootFiles folder = BootFiles.of(directory, null, null, null);
    assertThatThrownBy(() -> BootLoader.load(folder, "", ram))
        .hasMessageContaining("is a directory");
  }

  @Test
  void entriesOfAnArchiveAreReadLikeFiles() throws Exception {
    Path kernelFile = Files.write(directory.resolve("k"), kernel.elf());
    Path initrdFile = Files.write(directory.resolve("i"), new byte[] {7, 8});
    BootFiles files =
        BootFiles.of(null, kernelFile.toUri().toURL(), null, initrdFile.toUri().toURL());
    BootLoader.load(files, "", ram);
    assertThat(ram.slice(KernelBuilder.CODE, 1).get()).isEqualTo((byte) 0xc0);
    assertThat(ram.slice(RAM - 4096, 1).get()).isEqualTo((byte) 7);
  }

  private void assertRefused(byte[] image, String message) {
    assertThatThrownBy(() -> load(image, null, ""))
        .isInstanceOf(BootException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  private BootLoader.Start load(byte[] image, byte[] initrd, String commandLine)
      throws BootException, IOException {
    Path kernelFile = Files.write(directory.resolve("kernel"), image);
    Path initrdFile = initrd == null ? null : Files.write(directory.resolve("initrd"), initrd);
    return BootLoader.load(BootFiles.of(kernelFile, null, initrdFile, null), commandLine, ram);
  }

  private String text(int address) {
    ByteBuffer bytes = ram.slice(address, 2048);
    StringBuilder text = new StringBuilder();
    for (byte b; (b = bytes.get()) != 0; ) {
      text.append((char) b);
    }
    return text.toString();
  }
}
