// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import java.time.Instant;
import java.util.List;
import org.plex86.hal.api.ForwardingPacket;
import org.plex86.hal.api.ForwardingQueue;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;

/**
 * A queue of a disk, of whose requests each has a line in the log once it is answered. One that a
 * driver gives back unanswered has none, until the next driver has answered it.
 */
final class RequestQueue extends ForwardingQueue {
  private final TraceFile log;

  RequestQueue(PacketQueue above, TraceFile log) {
    super(above);
    this.log = log;
  }

  @Override
  public Packet poll() {
    Packet packet = super.poll();
    return packet == null ? null : new Request(packet);
  }

  @Override
  public void complete(Packet packet, long written) {
    trace(packet);
    super.complete(packet, written);
  }

  @Override
  public void completeTogether(List<Packet> packets, long[] written) {
    packets.forEach(this::trace);
    super.completeTogether(packets, written);
  }

  private void trace(Packet packet) {
    if (packet instanceof Request request) {
      log.addLine(request.line.answered(packet, System.nanoTime() - request.taken));
    }
  }

  /** A request that a driver holds; as many as the queue has room for. */
  private static final class Request extends ForwardingPacket {
    private final RequestLine line;
    private final long taken = System.nanoTime();

    Request(Packet above) {
      super(above);
      line = RequestLine.of(above, Instant.now());
    }
  }
}
