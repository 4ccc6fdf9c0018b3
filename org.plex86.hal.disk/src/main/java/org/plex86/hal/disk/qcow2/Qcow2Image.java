// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;

/**
 * An open qcow2 image. What changes no table (reads, writes to clusters that are there) runs in
 * parallel; the rest one at a time.
 */
public final class Qcow2Image implements DiskImage {
  private static final String FORMAT = "qcow2";
  private static final String STATE_PAGES = "qcow2/1/pages";
  private static final String STATE_DROPPED = "qcow2/1/dropped";

  private final Qcow2Header header;
  private final DiskImage backing;
  private final Layout layout;
  private final ClusterMap map;
  private final Qcow2Writer writer;
  private final Lock shared;
  private final Lock exclusive;
  private volatile long size;

  /**
   * Opens an image.
   *
   * @param header of the file
   * @param backing the image below; null: none. Closed with this one.
   * @param durable whether a flush is to reach the medium; a temporary file's need not
   * @param state of {@link #suspend} of the image before, or empty
   * @throws IOException one line for the user
   */
  public Qcow2Image(
      DiskFile file,
      Qcow2Header header,
      DiskImage backing,
      boolean durable,
      Map<String, Object> state)
      throws IOException {
    this.header = header;
    this.backing = backing;
    size = header.size();
    ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    shared = lock.readLock();
    exclusive = lock.writeLock();
    try {
      layout = new Layout(file, header.clusterBits());
      map = new ClusterMap(layout, header, file.isWritable());
      writer = file.isWritable() ? writer(durable, state) : null;
    } catch (DamagedException e) {
      String what = e.getMessage().replaceFirst("^the image ", "");
      throw new IOException("'" + file.path() + "' " + what, e);
    } catch (IOException e) {
      throw new IOException("'" + file.path() + "' cannot be read: " + e.getMessage(), e);
    }
  }

  private Qcow2Writer writer(boolean durable, Map<String, Object> state) throws IOException {
    if (header.isMarkedCorrupt()) {
      throw new DamagedException(
          "is marked as corrupt; run qemu-img check -r all, or give readonly=on");
    }
    Refcounts refcounts =
        new Refcounts(layout, header.refcountTableOffset(), header.refcountTableClusters());
    Qcow2Writer made = new Qcow2Writer(layout, map, refcounts, header, backing, durable);
    made.restore(pages(state), dropped(state));
    if (header.isDirty()) {
      new Qcow2Scan(layout, header, map).repair(refcounts);
    }
    made.prepareHeader();
    return made;
  }

  @SuppressWarnings("unchecked") // what suspend has put there
  private static Map<Long, byte[]> pages(Map<String, Object> state) {
    return (Map<Long, byte[]>) state.getOrDefault(STATE_PAGES, Map.of());
  }

  private static long[] dropped(Map<String, Object> state) {
    return (long[]) state.getOrDefault(STATE_DROPPED, new long[0]);
  }

  @Override
  public String format() {
    return FORMAT;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean isWritable() {
    return writer != null;
  }

  @Override
  public void read(long offset, IoVector into) throws IOException {
    shared.lock();
    try {
      transfer(offset, into, true);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public boolean tryRead(long offset, IoVector into) throws IOException {
    if (!shared.tryLock()) {
      return false;
    }
    try {
      return transfer(offset, into, false);
    } finally {
      shared.unlock();
    }
  }

  private boolean transfer(long offset, IoVector into, boolean wait) throws IOException {
    for (long done = 0; done < into.size(); ) {
      long at = offset + done;
      long entry = entry(at >> layout.clusterBits, wait);
      if (entry == ClusterMap.NOT_CACHED) {
        return false;
      }
      long length = run(at, into.size() - done, entry, wait);
      if (!readRun(at, into.slice(done, length), entry, wait)) {
        return false;
      }
      done += length;
    }
    return true;
  }

  private long entry(long cluster, boolean wait) throws IOException {
    return wait ? map.entry(cluster) : map.cachedEntry(cluster);
  }

  /** How many bytes from an offset on are of the same kind, and next to each other in the file. */
  private long run(long at, long most, long first, boolean wait) throws IOException {
    long cluster = at >> layout.clusterBits;
    long length = layout.clusterSize - (at & (layout.clusterSize - 1));
    while (length < most && !ClusterMap.isCompressed(first)) {
      cluster++;
      long entry = entry(cluster, wait);
      long expected =
          ClusterMap.isPlain(first)
              ? ClusterMap.offset(first)
                  + ((cluster - (at >> layout.clusterBits)) << layout.clusterBits)
              : 0;
      boolean same =
          ClusterMap.isPlain(first)
              ? ClusterMap.isPlain(entry) && ClusterMap.offset(entry) == expected
              : entry != ClusterMap.NOT_CACHED
                  && !ClusterMap.isPlain(entry)
                  && ClusterMap.isZero(entry) == ClusterMap.isZero(first)
                  && !ClusterMap.isCompressed(entry);
      if (!same) {
        break;
      }
      length += layout.clusterSize;
    }
    return Math.min(length, most);
  }

  private boolean readRun(long at, IoVector into, long entry, boolean wait) throws IOException {
    if (ClusterMap.isCompressed(entry)) {
      if (!wait) {
        return false;
      }
      byte[] cluster = Compressed.read(layout, entry);
      into.put(cluster, (int) (at & (layout.clusterSize - 1)));
    } else if (ClusterMap.isPlain(entry)) {
      long offset = ClusterMap.offset(entry) + (at & (layout.clusterSize - 1));
      if (!wait) {
        return layout.file.tryRead(offset, into);
      }
      layout.read(offset, into);
    } else if (ClusterMap.isZero(entry) || backing == null) {
      into.zero();
    } else {
      return Below.read(backing, at, into, wait);
    }
    return true;
  }

  @Override
  public void write(long offset, IoVector from) throws IOException {
    shared.lock();
    try {
      if (writeInPlace(offset, from, true)) {
        return;
      }
    } finally {
      shared.unlock();
    }
    exclusive.lock();
    try {
      writer.write(offset, from);
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public boolean tryWrite(long offset, IoVector from) throws IOException {
    if (!shared.tryLock()) {
      return false;
    }
    try {
      if (writeInPlace(offset, from, false)) {
        return true;
      }
    } finally {
      shared.unlock();
    }
    if (!exclusive.tryLock()) {
      return false;
    }
    try {
      if (!writer.canWriteAtOnce(offset, from.size())) {
        return false;
      }
      writer.write(offset, from);
      return true;
    } finally {
      exclusive.unlock();
    }
  }

  /** Writes if all of the clusters are there, and this image's alone. */
  private boolean writeInPlace(long offset, IoVector from, boolean wait) throws IOException {
    long last = (offset + from.size() - 1) >> layout.clusterBits;
    for (long cluster = offset >> layout.clusterBits; cluster <= last; cluster++) {
      long entry = entry(cluster, wait);
      if (entry == ClusterMap.NOT_CACHED || !ClusterMap.isPlainOwn(entry)) {
        return false;
      }
    }
    for (long done = 0; done < from.size(); ) {
      long at = offset + done;
      long entry = map.entry(at >> layout.clusterBits);
      long length = run(at, from.size() - done, entry, true);
      long to = ClusterMap.offset(entry) + (at & (layout.clusterSize - 1));
      layout.file.write(to, from.slice(done, length));
      done += length;
    }
    return true;
  }

  @Override
  public void discard(long offset, long length) throws IOException {
    exclusive.lock();
    try {
      writer.discard(offset, length);
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public void writeZeroes(long offset, long length, boolean unmap) throws IOException {
    exclusive.lock();
    try {
      writer.writeZeroes(offset, length);
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public void flush() throws IOException {
    if (writer == null) {
      return;
    }
    long[] dropped;
    exclusive.lock();
    try {
      writer.writeHeldBack();
      dropped = writer.takeDropped();
    } finally {
      exclusive.unlock();
    }
    boolean done = false;
    try {
      writer.sync();
      done = true;
    } finally {
      exclusive.lock();
      try {
        // if it failed, the references may not be gone from the medium yet
        writer.finishDropped(dropped, done);
      } finally {
        exclusive.unlock();
      }
    }
  }

  @Override
  public void suspendFlushes() {
    layout.file.suspendSyncs();
  }

  @Override
  public boolean hasDetachedFlush() {
    return layout.file.hasDetachedSync();
  }

  @Override
  public void resize(long newSize) throws IOException {
    exclusive.lock();
    try {
      if (header.snapshots() > 0) {
        throw new IOException("the image has internal snapshots; delete them first");
      }
      writer.resize(newSize);
      size = newSize;
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public long nextData(long offset) throws IOException {
    shared.lock();
    try {
      long at = offset;
      while (at < size) {
        long cluster = at >> layout.clusterBits;
        if (map.isEmptyTable(cluster)) {
          at = (cluster / map.l2Entries() + 1) * header.bytesPerL2();
        } else if (ClusterMap.isZero(map.entry(cluster)) || map.entry(cluster) == 0) {
          at = (cluster + 1) << layout.clusterBits;
        } else {
          break;
        }
      }
      long below = backing == null || offset >= backing.size() ? size : backing.nextData(offset);
      return Math.min(Math.min(at, below), size);
    } finally {
      shared.unlock();
    }
  }

  @Override
  public List<DiskFile> files() {
    List<DiskFile> files = new ArrayList<>(List.of(layout.file));
    if (backing != null) {
      files.addAll(backing.files());
    }
    return files;
  }

  @Override
  public Map<String, String> details() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("version", Integer.toString(header.version()));
    details.put("cluster-size", Integer.toString(layout.clusterSize));
    if (header.backingFile() != null) {
      details.put("backing-file", header.backingFile());
      details.put(
          "backing-format", header.backingFormat() == null ? "not told" : header.backingFormat());
    }
    details.put("snapshots", Integer.toString(header.snapshots()));
    return details;
  }

  /** What a look at all references finds. */
  public Findings check() throws IOException {
    exclusive.lock();
    try {
      return new Qcow2Scan(layout, header, map)
          .compare(
              new Refcounts(
                  new Layout(layout.file, layout.clusterBits),
                  header.refcountTableOffset(),
                  header.refcountTableClusters()));
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public Map<String, Object> suspend() throws IOException {
    if (writer == null) {
      return Map.of();
    }
    exclusive.lock();
    try {
      writer.giveBackStock();
      return Map.of(STATE_PAGES, layout.cache.copyHeldBack(), STATE_DROPPED, writer.allDropped());
    } finally {
      exclusive.unlock();
    }
  }

  @Override
  public void abandon() {
    // holds nothing but its files
  }

  @Override
  public void close() throws IOException {
    layout.file.resumeSyncs();
    try {
      if (writer != null) {
        exclusive.lock();
        try {
          writer.giveBackStock();
        } finally {
          exclusive.unlock();
        }
        if (writer.mustFlush()) {
          flush();
        }
      }
    } finally {
      layout.file.close();
      if (backing != null) {
        backing.close();
      }
    }
  }
}
