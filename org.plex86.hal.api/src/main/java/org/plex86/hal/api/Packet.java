// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.nio.ByteBuffer;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A packet: the buffers of one descriptor chain, those that the guest wrote for the device followed
 * by those that the device may write.
 *
 * <p>The buffers are windows into guest memory, little-endian, bounds-checked. The guest can change
 * what they hold at any time: read a value once, then check it, then use it. They are valid until
 * the packet is completed or the channel reset or closed.
 */
@ProviderType
public interface Packet {
  /**
   * The device-readable buffers, in order, those that lie side by side perhaps as one. Position 0,
   * limit the length; fresh views at each call.
   */
  List<ByteBuffer> readable();

  /** The device-writable buffers, in order. */
  List<ByteBuffer> writable();

  /** The number of device-readable bytes, 0 to 2^32. */
  long readableBytes();

  /** The number of device-writable bytes, 0 to 2^32. */
  long writableBytes();

  /**
   * Copies device-readable bytes.
   *
   * @param offset from the start of the readable part, in bytes
   * @return how many bytes were copied: fewer than {@code length} at the end of the part only
   */
  int read(long offset, byte[] into, int at, int length);

  /**
   * Copies bytes into the device-writable part.
   *
   * @param offset from the start of the writable part, in bytes
   * @return how many bytes were copied: fewer than {@code length} at the end of the part only
   */
  int write(long offset, byte[] from, int at, int length);
}
