// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.GZIPInputStream;

/**
 * A compressed kernel ("bzImage"). Its own decompressor is real-mode and protected-mode code that
 * cannot run at ring 3, so the ELF kernel is taken out of the payload here. Offsets as in the
 * kernel's Documentation/x86/boot.rst, "The Real-Mode Kernel Header".
 */
final class BzImage {
  private static final int HEADER = 0x260;
  private static final int SETUP_SECTS = 0x1f1;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24c;
  private static final int HDRS = 0x53726448;
  private static final int VERSION_WITH_PAYLOAD = 0x208;
  private static final int DEFAULT_SETUP_SECTS = 4;

  private BzImage() {}

  /** Whether an image looks like a bzImage. */
  static boolean is(Image image) throws IOException {
    ByteBuffer header = header(image);
    return header != null
        && header.getShort(BOOT_FLAG) == (short) 0xaa55
        && header.getInt(HEADER_MAGIC) == HDRS;
  }

  /**
   * The kernel in the payload.
   *
   * @throws BootException it is not compressed with gzip, or damaged
   */
  static Image payload(Image image) throws BootException, IOException {
    ByteBuffer header = header(image);
    if (header == null || Short.toUnsignedInt(header.getShort(VERSION)) < VERSION_WITH_PAYLOAD) {
      throw new BootException(
          image.name() + " is too old a bzImage to find the kernel in it; give the ELF vmlinux");
    }
    int sects = Byte.toUnsignedInt(header.get(SETUP_SECTS));
    long start = ((sects == 0 ? DEFAULT_SETUP_SECTS : sects) + 1) * 512L;
    start += Integer.toUnsignedLong(header.getInt(PAYLOAD_OFFSET));
    long length = Integer.toUnsignedLong(header.getInt(PAYLOAD_LENGTH));
    ByteBuffer magic = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    try {
      image.read(start, magic);
    } catch (EOFException e) {
      throw new BootException(image.name() + " is a damaged bzImage: it ends before its payload");
    }
    requireGzip(image, magic.getInt(0));
    long from = start;
    return new StreamImage(
        image.name(), () -> new GZIPInputStream(new Range(image, from, length), 1 << 16));
  }

  private static ByteBuffer header(Image image) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    try {
      image.read(0, header);
      return header;
    } catch (EOFException tooShort) {
      return null;
    }
  }

  private static void requireGzip(Image image, int magic) throws BootException {
    if ((magic & 0xffff) == 0x8b1f) {
      return;
    }
    // Magic numbers of lib/decompress.c
    String other =
        switch (magic & 0xffff) {
          case 0x5a42 -> "bzip2";
          case 0x005d -> "lzma";
          case 0x37fd -> "xz";
          case 0x4c89 -> "lzo";
          case 0x2102 -> "lz4";
          case 0xb528 -> "zstd";
          default -> "an unknown method";
        };
    throw new BootException(
        image.name()
            + " is compressed with "
            + other
            + ", plex86 reads gzip only; build it with CONFIG_KERNEL_GZIP or give the ELF vmlinux");
  }

  /** A part of an image as a stream; ends early where the image does. */
  private static final class Range extends InputStream {
    private final Image image;
    private final byte[] chunk = new byte[1 << 16];
    private long at;
    private long left;
    private int position;
    private int limit;

    Range(Image image, long at, long length) {
      this.image = image;
      this.at = at;
      left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (position == limit && !refill()) {
        return -1;
      }
      int n = Math.min(length, limit - position);
      System.arraycopy(chunk, position, into, offset, n);
      position += n;
      return n;
    }

    private boolean refill() throws IOException {
      int n = (int) Math.min(chunk.length, left);
      if (n == 0) {
        return false;
      }
      image.read(at, ByteBuffer.wrap(chunk, 0, n));
      at += n;
      left -= n;
      position = 0;
      limit = n;
      return true;
    }
  }
}
