// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.format;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/** A file or block device that holds just the bytes of the disk. */
final class RawImage implements DiskImage {

  private static final int SECTOR = 512;

  private final DiskFile file;
  private volatile long size;

  RawImage(DiskFile file) throws IOException {
    this.file = file;
    size = file.size() / SECTOR * SECTOR;
  }

  @Override
  public String format() {
    return Images.RAW;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean isWritable() {
    return file.isWritable();
  }

  @Override
  public void read(long offset, IoVector into) throws IOException {
    file.read(offset, into);
  }

  @Override
  public boolean tryRead(long offset, IoVector into) throws IOException {
    return file.tryRead(offset, into);
  }

  @Override
  public void write(long offset, IoVector from) throws IOException {
    file.write(offset, from);
  }

  @Override
  public boolean tryWrite(long offset, IoVector from) throws IOException {
    file.write(offset, from);
    return true;
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    file.punchHole(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean unmap) throws IOException {
    file.writeZeroes(offset, length, unmap);
  }

  @Override
  public void flush() throws IOException {
    file.sync();
  }

  @Override
  public void suspendFlushes() {
    file.suspendSyncs();
  }

  @Override
  public boolean hasDetachedFlush() {
    return file.hasDetachedSync();
  }

  @Override
  public synchronized void resize(long newSize) throws IOException {
    if (file.isDevice()) {
      long now = file.size() / SECTOR * SECTOR;
      if (newSize != now) {
        throw new IOException(
            "a block device has the size that it has, %d bytes; change the device itself"
                .formatted(now));
      }
    } else {
      file.truncate(newSize);
    }
    size = newSize;
  }

  @Override
  public long nextData(long offset) throws IOException {
    long at = file.nextData(offset);
    return at < 0 ? size : Math.min(at, size);
  }

  @Override
  public List<DiskFile> files() {
    return List.of(file);
  }

  @Override
  public Map<String, String> details() {
    return Map.of();
  }

  @Override
  public Map<String, Object> suspend() {
    return Map.of();
  }

  @Override
  public void abandon() {
    // holds nothing but the file
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
