// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MappingTest {
  private static final long GIB = 1L << 30;

  @Test
  void windowsOfOneMappingShowTheSameMemory() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", 3 * GIB)) {
      GuestRam ram = new GuestRam(fd, 3 * GIB);
      long gpa = GIB + 12;
      ram.window(0).putInt((int) gpa, 0x12345678);
      assertThat(ram.window(gpa).getInt(ram.offset(gpa))).isEqualTo(0x12345678);
      assertThat(ram.slice(gpa, 4).getInt()).isEqualTo(0x12345678);
    }
  }

  @Test
  void rangeAcrossAGibibyteIsOneSlice() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", 3 * GIB)) {
      GuestRam ram = new GuestRam(fd, 3 * GIB);
      ByteBuffer slice = ram.slice(2 * GIB - 8, 16);
      slice.putLong(8, 42);
      assertThat(ram.slice(2 * GIB, 8).getLong()).isEqualTo(42);
    }
  }

  @Test
  void rangeThatIsNotRamIsRefused() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", GIB)) {
      GuestRam ram = new GuestRam(fd, GIB);
      assertThat(ram.slice(GIB, 0).capacity()).isZero();
      assertThat(ram.slice(GIB - 1, 1).capacity()).isEqualTo(1);
      for (long gpa : new long[] {GIB, -1, Long.MAX_VALUE, Long.MIN_VALUE}) {
        assertThatThrownBy(() -> ram.slice(gpa, 1)).isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThatThrownBy(() -> ram.slice(0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> ram.window(GIB)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void nobodyCanShrinkOrGrowTheMemory() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", 8192)) {
      assertThat(Libc.ftruncate(fd.get(), 4096)).isEqualTo(-1);
      assertThat(Libc.ftruncate(fd.get(), 1 << 20)).isEqualTo(-1);
    }
  }

  @Test
  void viewOutlivesDescriptorMappingAndCollection() throws Exception {
    ByteBuffer view = viewOfPunchedMemory();
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(view.getInt(0)).isZero();
    view.putInt(0, 7);
    assertThat(view.getInt(0)).isEqualTo(7);
  }

  private static ByteBuffer viewOfPunchedMemory() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", 4096)) {
      GuestRam ram = new GuestRam(fd, 4096);
      ram.slice(16, 4).putInt(99);
      fd.punch(4096);
      return ram.slice(16, 64).slice(0, 8).duplicate();
    }
  }

  @Test
  void mappingThatNobodySeesAnyMoreIsGivenBack() throws Exception {
    mapAndForget("test-forgotten");
    for (int i = 0; i < 100 && maps().contains("test-forgotten"); i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(maps()).doesNotContain("test-forgotten");
  }

  private static void mapAndForget(String name) throws IOException {
    try (Fd fd = Fd.sealedMemory(name, 3 * GIB)) {
      assertThat(new GuestRam(fd, 3 * GIB).slice(0, 4).getInt()).isZero();
      assertThat(maps()).contains(name);
    }
  }

  private static String maps() throws IOException {
    return Files.readString(Path.of("/proc/self/maps"));
  }

  @Test
  void futexOutsideOfTheMappingIsRefused() throws IOException {
    try (Fd fd = Fd.sealedMemory("test-ram", 4096)) {
      Mapping mapping = new Mapping(fd, 4096);
      for (int offset : new int[] {-4, 2, 4096, 4094}) {
        assertThatThrownBy(() -> mapping.futexWake(offset))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }
}
