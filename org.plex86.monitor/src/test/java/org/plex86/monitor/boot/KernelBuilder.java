// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.plex86.monitor.control.ControlLayout;

/** Makes small kernels for tests: one segment of code, one of data, one note. */
final class KernelBuilder {
  static final int CODE = 0x400000;
  static final int DATA = 0x401000;
  static final int DATA_MEMORY = 0x3000;

  private static final int NOTE_OFFSET = 0x200;
  private static final int CODE_OFFSET = 0x1000;
  private static final int DATA_OFFSET = 0x2000;
  private static final int SIZE = 0x2010;

  int abi = ControlLayout.PLEX86_ABI_VERSION;
  String note = "plex86";
  int entry = CODE + 4;
  int dataMemory = DATA_MEMORY;

  byte[] elf() {
    ByteBuffer elf = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f).put(4, (byte) 1).put(5, (byte) 1).put(6, (byte) 1);
    elf.putShort(16, (short) 2).putShort(18, (short) 3).putInt(20, 1);
    elf.putInt(24, entry).putInt(28, 52).putShort(42, (short) 32).putShort(44, (short) 3);
    segment(elf, 0, 1, CODE_OFFSET, CODE, 0x10, 0x10);
    segment(elf, 1, 1, DATA_OFFSET, DATA, 0x10, dataMemory);
    segment(elf, 2, 4, NOTE_OFFSET, 0, 24, 24);
    elf.putInt(NOTE_OFFSET, note.length() + 1).putInt(NOTE_OFFSET + 4, 4);
    elf.putInt(NOTE_OFFSET + 8, 0x58363850);
    elf.put(NOTE_OFFSET + 12, note.getBytes(StandardCharsets.US_ASCII));
    elf.putInt(NOTE_OFFSET + 20, abi);
    for (int i = 0; i < 0x10; i++) {
      elf.put(CODE_OFFSET + i, (byte) (0xc0 + i)).put(DATA_OFFSET + i, (byte) (0xd0 + i));
    }
    return elf.array();
  }

  byte[] bzImage() {
    byte[] payload = gzip(elf());
    int setup = 5 * 512;
    int offset = 0x100;
    ByteBuffer image =
        ByteBuffer.allocate(setup + offset + payload.length).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 4).putShort(0x1fe, (short) 0xaa55);
    image.putInt(0x202, 0x53726448).putShort(0x206, (short) 0x20f);
    image.putInt(0x248, offset).putInt(0x24c, payload.length);
    return image.put(setup + offset, payload).array();
  }

  private static byte[] gzip(byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void segment(
      ByteBuffer elf, int index, int type, int offset, int address, int fileSize, int memorySize) {
    int at = 52 + index * 32;
    elf.putInt(at, type).putInt(at + 4, offset).putInt(at + 12, address);
    elf.putInt(at + 16, fileSize).putInt(at + 20, memorySize);
  }
}
