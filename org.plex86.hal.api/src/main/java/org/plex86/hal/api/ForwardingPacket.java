// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.nio.ByteBuffer;
import java.util.List;

/** A packet that passes everything on: see {@link ForwardingQueue}. */
public abstract class ForwardingPacket implements Packet {
  private final Packet above;

  /** Over a packet of the queue above. */
  protected ForwardingPacket(Packet above) {
    this.above = above;
  }

  Packet above() {
    return above;
  }

  @Override
  public List<ByteBuffer> readable() {
    return above.readable();
  }

  @Override
  public List<ByteBuffer> writable() {
    return above.writable();
  }

  @Override
  public long readableBytes() {
    return above.readableBytes();
  }

  @Override
  public long writableBytes() {
    return above.writableBytes();
  }

  @Override
  public int read(long offset, byte[] into, int at, int length) {
    return above.read(offset, into, at, length);
  }

  @Override
  public int write(long offset, byte[] from, int at, int length) {
    return above.write(offset, from, at, length);
  }
}
