// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.image;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.plex86.hal.disk.io.DiskFile;
import org.plex86.hal.disk.io.IoVector;
import org.plex86.hal.disk.io.SuspendedException;

/**
 * An open image: the bytes of a disk. Any thread, many at a time. Offsets and lengths are in bytes
 * and within {@link #size}, which the caller has checked.
 *
 * <p>An {@link IOException} concerns the one request; its message is the reason alone.
 */
public interface DiskImage extends AutoCloseable {
  /** The name of the format, such as {@code raw}. */
  String format();

  /** The size of the disk in bytes. */
  long size();

  /** Whether it was opened for writing. */
  boolean isWritable();

  /** Reads all of a vector. */
  void read(long offset, IoVector into) throws IOException;

  /**
   * Reads all of a vector if that needs no waiting.
   *
   * @return false if it would need to wait; what the vector holds then is undefined
   */
  boolean tryRead(long offset, IoVector into) throws IOException;

  /** Writes all of a vector. */
  void write(long offset, IoVector from) throws IOException;

  /**
   * Writes all of a vector if that needs no waiting but perhaps for memory.
   *
   * @return false if it would need to wait; nothing was written
   */
  boolean tryWrite(long offset, IoVector from) throws IOException;

  /** The range is of no more use. What it reads as afterwards is undefined. */
  void discard(long offset, long length) throws IOException;

  /**
   * Makes a range read as zeros.
   *
   * @param unmap whether its storage may be given back
   */
  void writeZeroes(long offset, long length, boolean unmap) throws IOException;

  /** Makes durable what was written by requests that have ended. */
  void flush() throws IOException;

  /**
   * The files are to be handed over: what waits for the medium to make something durable ends with
   * {@link SuspendedException}, now and until {@link #close}, and may be asked for again.
   */
  void suspendFlushes();

  /**
   * Whether a thread is still in {@link #flush}, in a call to the host: it leaves it with {@link
   * SuspendedException} whenever that ends, and changes nothing any more. After {@link
   * #suspendFlushes}; {@link #suspend} need not wait for it.
   */
  boolean hasDetachedFlush();

  /**
   * Makes the disk larger; what is added reads as zeros.
   *
   * @param size more than {@link #size}, a multiple of 512
   */
  void resize(long size) throws IOException;

  /**
   * Where the next bytes are that may not be zeros, at or after an offset; {@link #size} if there
   * are none.
   */
  long nextData(long offset) throws IOException;

  /** The first file is the image's own, those after it are the ones below it. */
  List<DiskFile> files();

  /** What {@code disk info} shows beside format and sizes: keys and values. */
  Map<String, String> details();

  /**
   * What the next one to open these files must know as it is not in the files, to be given to it
   * unchanged: keys and values of classes of the JDK. Nothing but {@link #abandon} may be called
   * afterwards.
   */
  Map<String, Object> suspend() throws IOException;

  /** Ends the use of the image without closing its files. */
  void abandon();

  /** Writes what is in memory only, and closes all files. Does not wait for a medium. */
  @Override
  void close() throws IOException;
}
