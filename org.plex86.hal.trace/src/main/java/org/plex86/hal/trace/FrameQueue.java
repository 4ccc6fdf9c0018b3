// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.plex86.hal.api.ForwardingQueue;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/**
 * A queue of a network card whose frames are traced when they are done with, so once, whatever
 * driver takes them how often. Lengths are the guest's word, and bounded by the snaplen.
 */
final class FrameQueue extends ForwardingQueue {
  /** struct virtio_net_hdr with num_buffers, which a modern device always has (5.1.6). */
  private static final int HEADER = 12;

  private static final int NUM_BUFFERS = 10;

  private final boolean receives;
  private final Pcap pcap;

  /** The frame that is received in several buffers, as far as it has come. */
  private byte[] frame = new byte[0];

  private long frameLength;
  private int buffersLeft;

  /**
   * Over a queue.
   *
   * @param index even: the guest receives by it; odd: it transmits
   */
  FrameQueue(PacketQueue above, int index, Pcap pcap) {
    super(above);
    receives = index % 2 == 0;
    this.pcap = pcap;
  }

  @Override
  public void complete(Packet packet, long written) {
    trace(packet, written);
    super.complete(packet, written);
  }

  @Override
  public void completeTogether(List<Packet> packets, long[] written) {
    for (int i = 0; i < packets.size(); i++) {
      trace(packets.get(i), written[i]);
    }
    super.completeTogether(packets, written);
  }

  private void trace(Packet packet, long written) {
    if (receives) {
      received(packet, Math.min(written, packet.writableBytes()));
    } else {
      transmitted(packet);
    }
  }

  private void transmitted(Packet packet) {
    long length = packet.readableBytes() - HEADER;
    if (length > 0) {
      byte[] start = new byte[(int) Math.min(length, pcap.snaplen())];
      packet.read(HEADER, start, 0, start.length);
      pcap.add(Instant.now(), start, length);
    }
  }

  private void received(Packet packet, long written) {
    int skip = 0;
    if (buffersLeft == 0) {
      if (written < HEADER) {
        return; // no frame
      }
      byte[] header = written(packet, 0, HEADER);
      buffersLeft =
          Math.max(1, (header[NUM_BUFFERS] & 0xff) | (header[NUM_BUFFERS + 1] & 0xff) << 8);
      skip = HEADER;
      frame = new byte[0];
      frameLength = 0;
    }
    int more = (int) Math.min(written - skip, pcap.snaplen() - frame.length);
    byte[] longer = Arrays.copyOf(frame, frame.length + more);
    System.arraycopy(written(packet, skip, more), 0, longer, frame.length, more);
    frame = longer;
    frameLength += written - skip;
    if (--buffersLeft == 0) {
      pcap.add(Instant.now(), frame, frameLength);
      frame = new byte[0];
    }
  }

  /** Bytes of the device-writable part, as they stand there. */
  private static byte[] written(Packet packet, int offset, int length) {
    byte[] bytes = new byte[length];
    int skip = offset;
    int at = 0;
    for (ByteBuffer buffer : packet.writable()) {
      int passed = Math.min(skip, buffer.remaining());
      skip -= passed;
      buffer.position(buffer.position() + passed);
      int part = Math.min(length - at, buffer.remaining());
      buffer.get(bytes, at, part);
      at += part;
    }
    return bytes;
  }
}
