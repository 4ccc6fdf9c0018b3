// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How often each cluster is referred to, and the stock of clusters that will be used next. Under
 * the exclusive lock of the image.
 */
final class Refcounts {
  /**
   * Clusters that follow each other.
   *
   * @param fresh whether they read as zeros
   */
  record Run(long cluster, long count, boolean fresh) {}

  /** The stock grows with what is used, so that a crash leaves no more than that unused. */
  private static final long FIRST_STOCK = 16;

  private static final long LARGEST_STOCK = 16384;
  private static final long OFFSET_MASK = 0x00fffffffffffe00L;

  private final Layout layout;
  private final int entriesPerBlock;
  private final Deque<Run> stock = new ArrayDeque<>();
  private long[] table;
  private long tableOffset;
  private long stockSize = FIRST_STOCK;
  private long searchFrom = 1;

  Refcounts(Layout layout, long tableOffset, int tableClusters) throws IOException {
    this.layout = layout;
    this.tableOffset = tableOffset;
    entriesPerBlock = layout.clusterSize / Short.BYTES;
    int entries = tableClusters << (layout.clusterBits - 3);
    table = layout.readTable(tableOffset, entries);
    boolean good = layout.addTable(tableOffset, (long) entries * Long.BYTES);
    for (long block : table) {
      good &= block == 0 || layout.addTable(block & OFFSET_MASK, 1);
    }
    if (!good) {
      throw new DamagedException(
          "is damaged: its refcount table refers to what is no refcount block; run qemu-img check");
    }
  }

  /** The block that counts a cluster; 0: none. */
  private long block(long cluster) {
    long index = cluster / entriesPerBlock;
    return index < table.length ? table[(int) index] & OFFSET_MASK : 0;
  }

  private long entry(long cluster) {
    return block(cluster) + cluster % entriesPerBlock * Short.BYTES;
  }

  /** The count of a cluster; 0 as well where nothing counts it. */
  int get(long cluster) throws IOException {
    return block(cluster) == 0 ? 0 : layout.cache.getShort(entry(cluster));
  }

  private void fill(long cluster, long count, int value, boolean durably) throws IOException {
    for (long done = 0; done < count; ) {
      long at = cluster + done;
      int piece = (int) Math.min(count - done, entriesPerBlock - at % entriesPerBlock);
      layout.cache.fillShorts(entry(at), piece, value, durably);
      done += piece;
    }
  }

  /** Whether so many clusters can be had without waiting. */
  boolean hasStock(long count) {
    long have = 0;
    for (Run run : stock) {
      have += run.count();
    }
    return have >= count;
  }

  /**
   * Takes clusters whose count is 1 from now on.
   *
   * @param wanted at least 1; fewer are given where not so many follow each other
   */
  Run allocate(long wanted) throws IOException {
    if (stock.isEmpty()) {
      fillStock();
    }
    Run first = stock.removeFirst();
    long count = Math.min(wanted, first.count());
    if (count < first.count()) {
      stock.addFirst(new Run(first.cluster() + count, first.count() - count, first.fresh()));
    }
    return new Run(first.cluster(), count, first.fresh());
  }

  /** Takes back clusters that could not be used; something may have been written to them. */
  void putBack(Run run) {
    stock.addFirst(new Run(run.cluster(), run.count(), false));
  }

  private void fillStock() throws IOException {
    long missing = stockSize;
    while (missing > 0 && searchFrom < layout.endCluster()) {
      if (block(searchFrom) == 0) {
        searchFrom = (searchFrom / entriesPerBlock + 1) * entriesPerBlock;
        continue;
      }
      long start = searchFrom;
      while (searchFrom < layout.endCluster()
          && searchFrom - start < missing
          && block(searchFrom) != 0
          && get(searchFrom) == 0) {
        if (layout.isMetadata(searchFrom)) {
          throw new DamagedException("the image is damaged: a table of it counts as unused");
        }
        searchFrom++;
      }
      if (searchFrom > start) {
        fill(start, searchFrom - start, 1, true);
        stock.add(new Run(start, searchFrom - start, false));
        missing -= searchFrom - start;
      } else {
        searchFrom++;
      }
    }
    while (missing > 0) {
      Run run = append(missing);
      stock.add(run);
      missing -= run.count();
    }
    searchFrom = Math.min(searchFrom, layout.endCluster());
    stockSize = Math.min(LARGEST_STOCK, stockSize * 2);
  }

  /** Makes the file longer by clusters whose count is 1; as many as one block counts, at most. */
  private Run append(long wanted) throws IOException {
    long first = layout.endCluster();
    if (block(first) == 0) {
      addBlock(first);
      first = layout.endCluster();
    }
    long count = Math.min(wanted, entriesPerBlock - first % entriesPerBlock);
    if (count == entriesPerBlock && block(first) == 0) {
      return append(wanted); // the block has taken the last cluster that the one before counts
    }
    layout.setEndCluster(first + count);
    fill(first, count, 1, true);
    return new Run(first, count, !layout.file.isDevice());
  }

  /** Clusters in a row, at the end of the file; for tables. */
  long allocateTable(long clusters) throws IOException {
    while (true) {
      Run run = append(clusters);
      if (run.count() == clusters) {
        return run.cluster();
      }
      stock.add(run);
      if (clusters > entriesPerBlock) {
        throw new IOException("No space left in the image: its clusters are too small for more");
      }
    }
  }

  /** Makes a block that counts a cluster just past the end of the file: it is that cluster. */
  private void addBlock(long cluster) throws IOException {
    long index = cluster / entriesPerBlock;
    if (index >= table.length) {
      growTable(index);
      if (block(layout.endCluster()) != 0) {
        return;
      }
      addBlock(layout.endCluster());
      return;
    }
    long[] block = new long[layout.clusterSize / Long.BYTES];
    setCount(block, cluster % entriesPerBlock);
    layout.setEndCluster(cluster + 1);
    long offset = cluster << layout.clusterBits;
    layout.writeTable(offset, block);
    setBlock(index, offset);
  }

  private void setBlock(long index, long offset) throws IOException {
    ByteBuffer entry = ByteBuffer.allocateDirect(Long.BYTES);
    entry.putLong(0, offset);
    layout.file.writeDurably(
        tableOffset + index * Long.BYTES, org.plex86.hal.disk.io.IoVector.of(entry));
    table[(int) index] = offset;
    layout.addTable(offset, 1);
  }

  private static void setCount(long[] block, long index) {
    block[(int) (index / 4)] |= 1L << (48 - index % 4 * 16);
  }

  /**
   * Puts a larger refcount table at the end of the file, with the blocks that count it and
   * themselves, and then refers to it in the header.
   */
  private void growTable(long index) throws IOException {
    int perCluster = layout.clusterSize / Long.BYTES;
    long entries = Math.max(2L * table.length, index + 2);
    long start = layout.endCluster();
    long end;
    long firstBlock;
    long blocks;
    while (true) {
      entries = (entries + perCluster - 1) / perCluster * perCluster;
      firstBlock = start + entries / perCluster;
      // blocks for all clusters from start on; each counts many more than it takes
      blocks = 0;
      end = firstBlock;
      long from = block(start) == 0 ? start / entriesPerBlock : start / entriesPerBlock + 1;
      for (long i = from; i <= (end - 1) / entriesPerBlock; i++) {
        blocks++;
        end++;
      }
      if ((end - 1) / entriesPerBlock < entries) {
        break;
      }
      entries = end / entriesPerBlock + 2;
    }
    if (entries * Long.BYTES > Qcow2Header.REFCOUNT_TABLE_MAX_BYTES) {
      throw new IOException("No space left in the image: its refcount table cannot grow");
    }
    layout.setEndCluster(end);
    long[] larger = java.util.Arrays.copyOf(table, (int) entries);
    for (long i = 0; i < blocks; i++) {
      long counted = (end - 1) / entriesPerBlock - blocks + 1 + i;
      long[] block = new long[perCluster];
      for (long c = Math.max(start, counted * entriesPerBlock);
          c < Math.min(end, (counted + 1) * entriesPerBlock);
          c++) {
        setCount(block, c % entriesPerBlock);
      }
      long offset = (firstBlock + i) << layout.clusterBits;
      layout.writeTable(offset, block);
      layout.addTable(offset, 1);
      larger[(int) counted] = offset;
    }
    for (long c = start; c < end && block(c) != 0; c++) {
      fill(c, 1, 1, true);
    }
    long offset = start << layout.clusterBits;
    layout.writeTable(offset, larger);
    layout.addTable(offset, entries * Long.BYTES);
    ByteBuffer header = ByteBuffer.allocateDirect(Long.BYTES + Integer.BYTES);
    header.putLong(0, offset).putInt(Long.BYTES, (int) (entries / perCluster));
    layout.writeHeader(Qcow2Header.AT_REFCOUNT_TABLE, header);
    long oldOffset = tableOffset;
    long oldClusters = table.length / perCluster;
    table = larger;
    tableOffset = offset;
    layout.removeTable(oldOffset, oldClusters << layout.clusterBits);
    for (long i = 0; i < oldClusters; i++) {
      drop((oldOffset >> layout.clusterBits) + i);
    }
  }

  /**
   * A reference to a cluster is gone, durably.
   *
   * @return whether it was the last one, and the cluster is free
   */
  boolean drop(long cluster) throws IOException {
    int count = get(cluster);
    if (count == 0 || cluster >= layout.endCluster()) {
      throw new DamagedException("the image is damaged: a cluster in use counts as unused");
    }
    fill(cluster, 1, count - 1, false);
    if (count == 1) {
      searchFrom = Math.min(searchFrom, cluster);
    }
    return count == 1;
  }

  /** Gives back the stock, and the end of the file if it is unused. */
  void giveBackStock() throws IOException {
    long end = layout.endCluster();
    while (!stock.isEmpty()) {
      Run run = stock.removeLast();
      fill(run.cluster(), run.count(), 0, false);
      searchFrom = Math.min(searchFrom, run.cluster());
      if (run.cluster() + run.count() == end && run.fresh()) {
        end = run.cluster();
      }
    }
    if (end < layout.endCluster()) {
      layout.setEndCluster(end);
    }
    stockSize = FIRST_STOCK;
  }

  /** Where a table is, and how long. */
  interface Visitor {
    void table(long offset, long bytes);
  }

  /** Tells where the refcount table and its blocks are. */
  void forEachTable(Visitor visitor) {
    visitor.table(tableOffset, (long) table.length * Long.BYTES);
    for (long block : table) {
      if (block != 0) {
        visitor.table(block & OFFSET_MASK, 1);
      }
    }
  }

  /** Sets the count of a cluster to what a look at all references has given. */
  void repair(long cluster, int count) throws IOException {
    if (block(cluster) == 0) {
      if (count == 0) {
        return;
      }
      throw new DamagedException(
          "the image is damaged: a refcount block is missing; run qemu-img check -r all");
    }
    fill(cluster, 1, count, false);
  }
}
