// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.memory.GuestRam;

/**
 * Loads an ELF kernel into guest RAM and checks that it was built for plex86: only such a kernel
 * has the macros for instructions that do not trap at ring 3, and any other would fail in odd ways.
 */
final class ElfLoader {
  private static final int CHUNK = 1 << 24;
  private static final int MAX_NOTES = 1 << 16;
  private static final int NOTE_HEADER = 12;
  private static final byte[] NOTE_NAME = "plex86\0".getBytes(StandardCharsets.US_ASCII);

  private final ElfImage elf;
  private final GuestRam ram;

  ElfLoader(ElfImage elf, GuestRam ram) {
    this.elf = elf;
    this.ram = ram;
  }

  /**
   * Loads the segments. RAM is all zero before, so what is behind a segment's file part is, too.
   */
  void load() throws BootException, IOException {
    String name = elf.image().name();
    if (elf.end() > ram.size()) {
      throw new BootException(
          "the kernel "
              + name
              + " needs "
              + Sizes.mebibytesUp(elf.end())
              + "M of memory for itself alone, the machine has "
              + Sizes.mebibytes(ram.size())
              + "M; give it more");
    }
    try {
      for (ElfImage.Segment segment : elf.segments()) {
        read(segment.offset(), segment.address(), segment.fileSize());
      }
      requireNote();
    } catch (EOFException e) {
      throw new BootException(name + " is damaged: it is cut short", e);
    }
  }

  private void read(long offset, long address, long length) throws IOException {
    for (long done = 0; done < length; ) {
      int n = (int) Math.min(CHUNK, length - done);
      elf.image().read(offset + done, ram.slice(address + done, n));
      done += n;
    }
  }

  private void requireNote() throws BootException, IOException {
    for (ElfImage.NoteRange range : elf.notes()) {
      ByteBuffer notes = notes(range);
      while (notes.remaining() >= NOTE_HEADER) {
        // Note: name size, descriptor size, type, name, descriptor; the two padded to 4 bytes.
        int nameSize = notes.getInt();
        int size = notes.getInt();
        int type = notes.getInt();
        if (padded(nameSize) + padded(size) > notes.remaining()) {
          break;
        }
        byte[] name = new byte[nameSize];
        int start = notes.position();
        notes.get(name);
        int descriptor = start + (int) padded(nameSize);
        if (type == ControlLayout.PLEX86_NOTE_TYPE
            && Arrays.equals(name, NOTE_NAME)
            && size >= Integer.BYTES) {
          requireVersion(notes.getInt(descriptor));
          return;
        }
        notes.position(descriptor + (int) padded(size));
      }
    }
    throw new BootException(
        elf.image().name()
            + " was not built for plex86; build it with guest/build-kernel, or leave out --kernel");
  }

  private void requireVersion(int version) throws BootException {
    if (version != ControlLayout.PLEX86_ABI_VERSION) {
      throw new BootException(
          elf.image().name()
              + " was built for version "
              + Integer.toUnsignedString(version)
              + " of the plex86 guest ABI, this monitor has version "
              + ControlLayout.PLEX86_ABI_VERSION
              + "; build it anew");
    }
  }

  /** The notes, from guest memory where they have been loaded, from the file otherwise. */
  private ByteBuffer notes(ElfImage.NoteRange range) throws IOException {
    int length = (int) Math.min(range.size(), MAX_NOTES);
    ByteBuffer notes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    for (ElfImage.Segment segment : elf.segments()) {
      if (segment.holdsFileRange(range.offset(), length)) {
        notes.put(ram.slice(segment.address() + range.offset() - segment.offset(), length));
        return notes.flip();
      }
    }
    elf.image().read(range.offset(), notes);
    return notes.flip();
  }

  /** Sizes are unsigned, and greater than any buffer when the file is hostile. */
  private static long padded(int size) {
    return (Integer.toUnsignedLong(size) + 3) & ~3L;
  }
}
