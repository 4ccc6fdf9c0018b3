// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/**
 * Tables of an image, in pages, the least recently used of which are forgotten. Any thread.
 *
 * <p>A change is written to the file at once, so that it survives the end of this program, unless
 * it must not become durable before some data: then its page is held back until {@link
 * #writeHeldBack}, before which the caller makes these data durable.
 */
final class MetadataCache {
  /** Bytes of pages: these map 128 GiB at clusters of 64 KiB. */
  private static final int MAX_BYTES = 16 << 20;

  private static final int PAGE_MAX = 4096;

  private static final class Page {
    final ByteBuffer bytes;
    final IoVector vector;
    boolean heldBack;

    Page(int size) {
      bytes = ByteBuffer.allocateDirect(size);
      vector = IoVector.of(bytes);
    }
  }

  private final DiskFile file;
  private final int pageSize;
  private final LinkedHashMap<Long, Page> pages = new LinkedHashMap<>(64, 0.75f, true);
  private int heldBack;

  MetadataCache(DiskFile file, int clusterSize) {
    this.file = file;
    pageSize = Math.min(PAGE_MAX, clusterSize);
  }

  private Page page(long offset) throws IOException {
    long start = offset & -pageSize;
    Page page = pages.get(start);
    if (page == null) {
      page = spare();
      file.read(start, page.vector);
      pages.put(start, page);
    }
    return page;
  }

  /** A new page, or the one that was least recently used and can be read again. */
  private Page spare() {
    if ((long) pages.size() * pageSize >= MAX_BYTES) {
      var oldest = pages.entrySet().iterator();
      while (oldest.hasNext()) {
        Page page = oldest.next().getValue();
        if (!page.heldBack) {
          oldest.remove();
          return page;
        }
      }
    }
    return new Page(pageSize);
  }

  /** Whether a value can be read without waiting. */
  synchronized boolean isCached(long offset) {
    return pages.containsKey(offset & -pageSize);
  }

  /** The eight bytes at an offset. */
  synchronized long getLong(long offset) throws IOException {
    return page(offset).bytes.getLong((int) (offset & (pageSize - 1)));
  }

  /** The two bytes at an offset. */
  synchronized int getShort(long offset) throws IOException {
    return page(offset).bytes.getShort((int) (offset & (pageSize - 1))) & 0xffff;
  }

  /**
   * Writes entries of 8 bytes.
   *
   * @param holdBack not to be durable before what was written to the file before
   */
  synchronized void putLongs(long offset, long[] values, boolean holdBack) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(values.length * Long.BYTES);
    for (long value : values) {
      bytes.putLong(value);
    }
    put(offset, bytes.flip(), holdBack, false);
  }

  /** Writes entries of 2 bytes that are all the same. */
  synchronized void fillShorts(long offset, int count, int value, boolean durably)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(count * Short.BYTES);
    for (int i = 0; i < count; i++) {
      bytes.putShort((short) value);
    }
    put(offset, bytes.flip(), false, durably);
  }

  private void put(long offset, ByteBuffer bytes, boolean holdBack, boolean durably)
      throws IOException {
    if (!holdBack) {
      // first: pages that are cached must not show what is not in the file
      IoVector vector = IoVector.of(bytes);
      if (durably) {
        file.writeDurably(offset, vector);
      } else {
        file.write(offset, vector);
      }
    }
    for (int done = 0; done < bytes.limit(); ) {
      int at = (int) ((offset + done) & (pageSize - 1));
      int length = Math.min(bytes.limit() - done, pageSize - at);
      Page page = page(offset + done);
      page.bytes.put(at, bytes, done, length);
      if (holdBack && !page.heldBack) {
        page.heldBack = true;
        heldBack++;
      }
      done += length;
    }
  }

  /** A range of the file was written by other means. */
  synchronized void forget(long offset, long length) {
    for (long at = offset & -pageSize; at < offset + length; at += pageSize) {
      Page page = pages.remove(at);
      if (page != null && page.heldBack) {
        heldBack--;
      }
    }
  }

  /** How many pages are held back. */
  synchronized int heldBack() {
    return heldBack;
  }

  /** Whether pages that are held back take so much of the cache that they should be written. */
  synchronized boolean isCrowded() {
    return (long) heldBack * pageSize > MAX_BYTES / 2;
  }

  /** Writes the pages that were held back; what they have waited for is durable. */
  synchronized void writeHeldBack() throws IOException {
    for (Map.Entry<Long, Page> entry : pages.entrySet()) {
      Page page = entry.getValue();
      if (page.heldBack) {
        file.write(entry.getKey(), page.vector);
        page.heldBack = false;
        heldBack--;
      }
    }
  }

  /** Copies of the pages that are held back, by offset. */
  synchronized Map<Long, byte[]> copyHeldBack() {
    Map<Long, byte[]> copies = new HashMap<>();
    pages.forEach(
        (offset, page) -> {
          if (page.heldBack) {
            byte[] copy = new byte[pageSize];
            page.bytes.get(0, copy);
            copies.put(offset, copy);
          }
        });
    return copies;
  }

  /** Takes over pages from {@link #copyHeldBack}. */
  synchronized void restore(Map<Long, byte[]> copies) throws IOException {
    for (Map.Entry<Long, byte[]> copy : copies.entrySet()) {
      if (copy.getValue().length != pageSize) {
        throw new IOException("pages of another size were handed over");
      }
      Page page = new Page(pageSize);
      page.bytes.put(0, copy.getValue());
      page.heldBack = true;
      heldBack++;
      pages.put(copy.getKey(), page);
    }
  }
}
