// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The headers of a 32-bit x86 kernel in ELF form ("vmlinux"), checked: segments lie above the first
 * MiB, in order and apart from each other, and the entry lies in one.
 *
 * <p>Numbers as in the System V ABI, chapters 4 and 5.
 */
final class ElfImage {
  /** A part of the file that belongs into memory. Unsigned 32-bit numbers. */
  record Segment(long offset, long address, long fileSize, long memorySize) {
    long end() {
      return address + memorySize;
    }

    boolean holdsFileRange(long from, long length) {
      return from >= offset && from + length <= offset + fileSize;
    }
  }

  /** Where notes are in the file. */
  record NoteRange(long offset, long size) {}

  private static final int HEADER = 52;
  private static final int PROGRAM_HEADER = 32;
  private static final int MAX_PROGRAM_HEADERS = 64;
  private static final int CLASS_32 = 1;
  private static final int LITTLE = 1;
  private static final int TYPE_EXECUTABLE = 2;
  private static final int MACHINE_386 = 3;
  private static final int SEGMENT_LOAD = 1;
  private static final int SEGMENT_NOTE = 4;
  private static final long FIRST_MIB = 0x100000;

  private final Image image;
  private final long entry;
  private final List<Segment> segments = new ArrayList<>();
  private final List<NoteRange> notes = new ArrayList<>();

  private ElfImage(Image image, ByteBuffer header) throws BootException, IOException {
    this.image = image;
    checkIdentity(header);
    entry = Integer.toUnsignedLong(header.getInt(24));
    long table = Integer.toUnsignedLong(header.getInt(28));
    int entrySize = Short.toUnsignedInt(header.getShort(42));
    int count = Short.toUnsignedInt(header.getShort(44));
    if (entrySize != PROGRAM_HEADER || count == 0 || count > MAX_PROGRAM_HEADERS) {
      throw damaged(count + " program headers of " + entrySize + " bytes");
    }
    ByteBuffer headers = ByteBuffer.allocate(count * PROGRAM_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    try {
      image.read(table, headers);
    } catch (EOFException e) {
      throw damaged("its program headers lie beyond its end");
    }
    for (int i = 0; i < count; i++) {
      add(headers, i * PROGRAM_HEADER);
    }
    checkSegments();
  }

  /**
   * Reads and checks the headers.
   *
   * @throws BootException what the file is not, or is wrong in it
   */
  static ElfImage read(Image image) throws BootException, IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    try {
      image.read(0, header);
    } catch (EOFException e) {
      throw new BootException(image.name() + " is too short to be a kernel");
    }
    return new ElfImage(image, header);
  }

  Image image() {
    return image;
  }

  /** The guest-physical address to start at. */
  long entry() {
    return entry;
  }

  /** The segments in the order of their addresses; at least one. */
  List<Segment> segments() {
    return segments;
  }

  List<NoteRange> notes() {
    return notes;
  }

  /** The guest-physical address behind the last segment, what is zeroed there included. */
  long end() {
    return segments.get(segments.size() - 1).end();
  }

  private void checkIdentity(ByteBuffer header) throws BootException {
    if (header.get(4) != CLASS_32) {
      throw new BootException(
          image.name()
              + " is not a 32-bit kernel; plex86 runs 32-bit x86 kernels only (make ARCH=i386)");
    }
    if (header.get(5) != LITTLE || header.getShort(18) != MACHINE_386) {
      throw new BootException(image.name() + " is not built for x86");
    }
    if (header.getShort(16) != TYPE_EXECUTABLE) {
      throw new BootException(
          image.name() + " is an ELF file but not a kernel (vmlinux): it is not an executable");
    }
  }

  private void add(ByteBuffer headers, int at) throws BootException {
    long offset = Integer.toUnsignedLong(headers.getInt(at + 4));
    long address = Integer.toUnsignedLong(headers.getInt(at + 12));
    long fileSize = Integer.toUnsignedLong(headers.getInt(at + 16));
    long memorySize = Integer.toUnsignedLong(headers.getInt(at + 20));
    int type = headers.getInt(at);
    if (type == SEGMENT_NOTE) {
      notes.add(new NoteRange(offset, fileSize));
    } else if (type == SEGMENT_LOAD && memorySize != 0) {
      if (fileSize > memorySize) {
        throw damaged("a segment is longer in the file than in memory");
      }
      segments.add(new Segment(offset, address, fileSize, memorySize));
    }
  }

  private void checkSegments() throws BootException {
    if (segments.isEmpty()) {
      throw damaged("it has nothing to load");
    }
    segments.sort(Comparator.comparingLong(Segment::address));
    long end = FIRST_MIB;
    boolean entryFound = false;
    for (Segment segment : segments) {
      if (segment.address() < end) {
        throw damaged(
            end == FIRST_MIB ? "it is to be loaded below the first MiB" : "its segments overlap");
      }
      end = segment.end();
      entryFound |= entry >= segment.address() && entry < segment.address() + segment.fileSize();
    }
    if (!entryFound) {
      throw damaged("its entry 0x" + Long.toHexString(entry) + " lies in no segment");
    }
  }

  private BootException damaged(String what) {
    return new BootException(image.name() + " is a damaged or strange ELF file: " + what);
  }
}
