// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.hal.api.Packet;
import org.plex86.hal.disk.io.IoVector;

/**
 * A request of the guest (section 5.2.6): 16 bytes of header, data, one byte of status, in buffers
 * of whatever lengths. Values are read once, when it is made.
 */
final class BlockRequest {
  static final int IN = 0;
  static final int OUT = 1;
  static final int FLUSH = 4;
  static final int GET_ID = 8;
  static final int DISCARD = 11;
  static final int WRITE_ZEROES = 13;

  static final byte OK = 0;
  static final byte IO_ERROR = 1;
  static final byte UNSUPPORTED = 2;

  private static final int HEADER = 16;

  private final Packet packet;
  private final int type;
  private final long sector;

  private BlockRequest(Packet packet, int type, long sector) {
    this.packet = packet;
    this.type = type;
    this.sector = sector;
  }

  /** Reads the header; null if the packet is too short for a request with a status. */
  static BlockRequest of(Packet packet) {
    byte[] header = new byte[HEADER];
    if (packet.writableBytes() < 1 || packet.read(0, header, 0, HEADER) < HEADER) {
      return null;
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    return new BlockRequest(packet, fields.getInt(0), fields.getLong(8));
  }

  Packet packet() {
    return packet;
  }

  int type() {
    return type;
  }

  /** Bytes of data that the device is to write, or to read. */
  long dataBytes() {
    return type == IN || type == GET_ID
        ? packet.writableBytes() - 1
        : packet.readableBytes() - HEADER;
  }

  /**
   * Whether the data are whole sectors of a disk.
   *
   * @param bytes the size of the disk
   */
  boolean isWithin(long bytes) {
    long length = dataBytes();
    return length % BlockConfig.SECTOR == 0
        && isRange(sector, length / BlockConfig.SECTOR, bytes / BlockConfig.SECTOR);
  }

  static boolean isRange(long sector, long count, long sectors) {
    return sector >= 0 && count >= 0 && sector <= sectors && count <= sectors - sector;
  }

  /** Where on the disk the data belong, in bytes. Only once {@link #isWithin} has said yes. */
  long offset() {
    return sector * BlockConfig.SECTOR;
  }

  /** The buffers of the data. */
  IoVector data() {
    return type == IN
        ? IoVector.of(packet.writable(), 0, dataBytes())
        : IoVector.of(packet.readable(), HEADER, dataBytes());
  }

  /** Copies data that the device reads. */
  byte[] copyOfData() {
    byte[] copy = new byte[(int) dataBytes()];
    packet.read(HEADER, copy, 0, copy.length);
    return copy;
  }

  /** Writes text that the device gives; returns how many bytes. */
  int put(byte[] text) {
    return packet.write(0, text, 0, (int) Math.min(text.length, dataBytes()));
  }

  /**
   * Writes the status.
   *
   * @return how many bytes of the writable part count as written
   */
  long end(byte status) {
    long at = packet.writableBytes() - 1;
    packet.write(at, new byte[] {status}, 0, 1);
    // what was written must be a piece from the start: data that were not read count as well
    return at + 1;
  }
}
