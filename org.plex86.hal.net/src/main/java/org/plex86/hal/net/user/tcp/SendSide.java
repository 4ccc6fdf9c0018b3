// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.util.Map;
import org.plex86.hal.net.user.io.ByteQueue;

/**
 * The half of a connection that goes to the guest: what it has not acknowledged, its window, and
 * when to send again (RFC 9293, 3.8, RFC 6298, and RFC 6582 for fast retransmission). There is no
 * congestion between us and the guest, so no congestion window, until a segment was lost: then it
 * begins small, as who drops has no room.
 */
final class SendSide {
  private static final int NO_LIMIT = 1 << 30;
  private static final long LEAST_RTO_MS = 200;
  private static final long MOST_RTO_MS = 60_000;
  private static final int MOST_TRIES = 12;
  private static final int DUPLICATES = 3;

  private final TcpConnection owner;
  private final Tcp tcp;
  private final ByteQueue data;

  private int una;
  private int nxt;
  private int max;
  private int window;
  private int windowSequence;
  private int windowAck;
  private int scale;
  private int mss = 536;
  private boolean eof;
  private boolean finAcknowledged;

  private int congestion = NO_LIMIT;
  private int duplicates;
  private boolean recovering;
  private int recover;

  private long deadline;
  private long rto = 1000;
  private long smoothed = -1;
  private long variance;
  private int tries;
  private boolean measuring;
  private int measured;
  private long measuredSince;

  SendSide(TcpConnection owner, Tcp tcp, int initial) {
    this.owner = owner;
    this.tcp = tcp;
    data = new ByteQueue(tcp.pool());
    una = initial;
    nxt = initial;
    max = initial;
  }

  ByteQueue data() {
    return data;
  }

  int una() {
    return una;
  }

  int nxt() {
    return nxt;
  }

  int max() {
    return max;
  }

  boolean finAcknowledged() {
    return finAcknowledged;
  }

  /** When to look again, in ms of the clock; 0: not. */
  long deadline() {
    return deadline;
  }

  /** A SYN takes the first number. */
  void synSent() {
    nxt = una + 1;
    max = nxt;
    arm();
  }

  /** The guest's SYN, or SYN and ACK, was received. */
  void options(Segment segment, int largestMss) {
    mss = Math.max(88, Math.min(segment.mss(), largestMss));
    scale = Math.max(segment.scale(), 0);
    window = segment.window();
    windowSequence = segment.sequence();
    windowAck = segment.acknowledgement();
  }

  /** Our SYN was acknowledged. */
  void synAcknowledged() {
    una++;
    nxt = una;
    max = una;
    tries = 0;
    rto = smoothed < 0 ? LEAST_RTO_MS * 2 : rto;
    deadline = 0;
  }

  /** The host sends no more: a FIN follows the data. */
  void end() {
    eof = true;
  }

  boolean ended() {
    return eof;
  }

  /** Bytes that may be read from the host now, so that they can be sent soon. */
  int wanted() {
    int unsent = data.size() - Math.min(nxt - una, data.size());
    int ahead = Math.max(0, Math.min(window, congestion) - (nxt - una)) + Tcp.READ_AHEAD;
    return Math.min(Tcp.SEND_BUFFER - data.size(), ahead - unsent);
  }

  /**
   * Takes the acknowledgement and the window of a segment.
   *
   * @return false: it acknowledges what was never sent
   */
  boolean acknowledged(Segment segment) {
    int ack = segment.acknowledgement();
    if (ack - max > 0) {
      return false;
    }
    int size = segment.window() << scale;
    boolean same = size == window;
    if (segment.sequence() - windowSequence > 0
        || (segment.sequence() == windowSequence && ack - windowAck >= 0)) {
      window = size;
      windowSequence = segment.sequence();
      windowAck = ack;
    }
    tries = 0;
    if (ack - una > 0) {
      advance(ack);
    } else if (ack == una && segment.space() == 0 && same && max != una) {
      duplicates++;
      if (duplicates == DUPLICATES && !recovering) {
        recovering = true;
        recover = max;
        resendFirst();
      }
    }
    return true;
  }

  private void advance(int ack) {
    int count = ack - una;
    int bytes = Math.min(count, data.size());
    data.drop(bytes);
    finAcknowledged |= count > bytes;
    una = ack;
    if (nxt - una < 0) {
      nxt = una;
    }
    duplicates = 0;
    if (measuring && ack - measured >= 0) {
      measuring = false;
      sample(tcp.now() - measuredSince);
    }
    if (congestion != NO_LIMIT) {
      congestion = congestion + bytes > Tcp.SEND_BUFFER ? NO_LIMIT : congestion + bytes;
    }
    if (recovering) {
      recovering = ack - recover < 0;
      if (recovering) {
        resendFirst(); // RFC 6582, 3.2: a partial acknowledgement tells of the next hole
      }
    }
    deadline = 0;
    if (nxt != una) {
      arm();
    }
  }

  private void sample(long rtt) {
    if (smoothed < 0) {
      smoothed = rtt;
      variance = rtt / 2;
    } else {
      variance = (3 * variance + Math.abs(smoothed - rtt)) / 4;
      smoothed = (7 * smoothed + rtt) / 8;
    }
    rto = Math.max(LEAST_RTO_MS, Math.min(MOST_RTO_MS, smoothed + 4 * variance));
  }

  private void arm() {
    deadline = tcp.now() + rto;
    tcp.timed(owner);
  }

  private void resendFirst() {
    measuring = false;
    int length = Math.min(Math.min(data.size(), max - una), owner.largestSegment(mss));
    length = Math.min(length, Math.max(window, mss));
    if (length > 0) {
      owner.sendSegment(una, data, 0, length, mss);
    } else if (eof && !finAcknowledged) {
      owner.sendControl(Segment.FIN | Segment.ACK, una + data.size());
    }
  }

  /** Sends what the guest's window allows. */
  void output() {
    int largest = owner.largestSegment(mss);
    while (true) {
      int inFlight = nxt - una;
      int unsent = data.size() - Math.min(inFlight, data.size());
      int usable = Math.min(window, congestion) - inFlight;
      if (unsent > 0) {
        int length = Math.min(Math.min(unsent, usable), largest);
        // RFC 1122, 4.2.3.4: not a small segment while the window is about to open further.
        boolean silly = length < Math.min(unsent, mss) && inFlight > 0;
        if (length <= 0 || silly) {
          break;
        }
        if (!owner.sendSegment(nxt, data, inFlight, length, mss)) {
          tcp.blocked(owner);
          break;
        }
        sent(length);
      } else if (eof && !finAcknowledged && inFlight == data.size()) {
        owner.sendControl(Segment.FIN | Segment.ACK, nxt);
        sent(1);
      } else {
        break;
      }
    }
    // Where nothing is in flight no acknowledgement will come: the window is to be asked for.
    boolean stuck = nxt == una && (data.size() > 0 || window == 0) && !finAcknowledged;
    if (deadline == 0 && (nxt != una || stuck)) {
      arm();
    }
  }

  private void sent(int count) {
    if (!measuring && nxt == max) {
      measuring = true;
      measured = nxt + count;
      measuredSince = tcp.now();
    }
    nxt += count;
    if (nxt - max > 0) {
      max = nxt;
    }
    if (deadline == 0) {
      arm();
    }
  }

  /**
   * The deadline has passed.
   *
   * @return false: the guest has not answered for too long
   */
  boolean expired() {
    deadline = 0;
    if (tries++ >= MOST_TRIES) {
      return false;
    }
    rto = Math.min(rto * 2, MOST_RTO_MS);
    measuring = false;
    if (nxt == una) {
      if (window == 0 || data.size() > 0) {
        // A number that the guest has already: it answers with its window.
        owner.sendControl(Segment.ACK, una - 1);
        arm();
      }
      return true;
    }
    nxt = una;
    congestion = 2 * mss;
    recovering = false;
    duplicates = 0;
    output();
    return true;
  }

  /** Another try for a SYN, at even steps as the guest may still be starting. */
  boolean again(int most, long stepMs) {
    if (tries++ >= most) {
      return false;
    }
    deadline = tcp.now() + stepMs;
    tcp.timed(owner);
    return true;
  }

  /** The guest cannot be reached at the moment; it is no fault of its own. */
  void postpone() {
    deadline = tcp.now() + rto;
  }

  void save(Map<String, Long> to) {
    to.put("una", (long) una);
    to.put("nxt", (long) nxt);
    to.put("max", (long) max);
    to.put("window", (long) window);
    to.put("windowSequence", (long) windowSequence);
    to.put("windowAck", (long) windowAck);
    to.put("scale", (long) scale);
    to.put("mss", (long) mss);
    to.put("eof", eof ? 1L : 0L);
    to.put("finAcknowledged", finAcknowledged ? 1L : 0L);
    to.put("congestion", (long) congestion);
    to.put("rto", rto);
    to.put("smoothed", smoothed);
    to.put("variance", variance);
    to.put("tries", (long) tries);
    to.put("deadline", deadline);
  }

  void restore(Map<String, Long> from) {
    una = from.get("una").intValue();
    nxt = from.get("nxt").intValue();
    max = from.get("max").intValue();
    window = from.get("window").intValue();
    windowSequence = from.get("windowSequence").intValue();
    windowAck = from.get("windowAck").intValue();
    scale = from.get("scale").intValue();
    mss = from.get("mss").intValue();
    eof = from.get("eof") != 0;
    finAcknowledged = from.get("finAcknowledged") != 0;
    congestion = from.get("congestion").intValue();
    rto = from.get("rto");
    smoothed = from.get("smoothed");
    variance = from.get("variance");
    tries = from.get("tries").intValue();
    deadline = from.get("deadline");
    if (deadline != 0) {
      tcp.timed(owner);
    }
  }
}
