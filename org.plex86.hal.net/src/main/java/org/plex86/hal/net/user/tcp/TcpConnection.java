// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.Map;
import org.plex86.hal.net.user.icmp.Icmp;
import org.plex86.hal.net.user.io.ByteQueue;
import org.plex86.hal.net.user.io.Poller;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Protocol;

/**
 * A connection of the guest's that ends here, and goes on as one of the host's. Bytes of the guest
 * are acknowledged when the host's socket, or a bounded queue before it, has them.
 *
 * <p>There is no TIME-WAIT: where our last acknowledgement is lost, the guest's repeated FIN is
 * answered with a reset, which in its state LAST-ACK ends the connection all the same.
 */
final class TcpConnection implements Poller.Handler {
  private enum State {
    /** The host's socket is connecting; the guest waits for the answer to its SYN. */
    CONNECTING,
    /** The host's client is there; the guest has not yet answered our SYN. */
    SYN_SENT,
    SYN_RECEIVED,
    ESTABLISHED,
    CLOSED
  }

  private static final int SYN_TRIES = 60;
  private static final long SYN_STEP_MS = 500;
  private static final int READ_AT_ONCE = 512 << 10;

  private final Tcp tcp;
  private final Flow flow;
  private final SocketChannel host;
  private final SendSide send;
  private final ByteQueue toHost;
  private SelectionKey key;
  private State state;
  private byte[] quote = new byte[0];
  private int next;
  private int edge;
  private boolean scaled;
  private boolean acknowledgementDue;
  private boolean guestEnded;
  private boolean hostShut;
  private boolean readArmed;

  private TcpConnection(Tcp tcp, Flow flow, SocketChannel host, int initial, State state) {
    this.tcp = tcp;
    this.flow = flow;
    this.host = host;
    this.state = state;
    send = new SendSide(this, tcp, initial);
    toHost = new ByteQueue(tcp.pool());
  }

  /** A connection that the guest asks for; the host's socket is not connected yet. */
  static TcpConnection toHost(
      Tcp tcp, Flow flow, SocketChannel host, int initial, Segment syn, byte[] quote) {
    TcpConnection made = new TcpConnection(tcp, flow, host, initial, State.CONNECTING);
    made.quote = quote;
    made.guestSyn(syn);
    return made;
  }

  /** A connection to the guest, for a client of the host's that is connected. */
  static TcpConnection toGuest(Tcp tcp, Flow flow, SocketChannel host, int initial)
      throws IOException {
    TcpConnection made = new TcpConnection(tcp, flow, host, initial, State.SYN_SENT);
    made.scaled = true;
    host.setOption(StandardSocketOptions.TCP_NODELAY, true);
    made.key = tcp.poller().add(host, 0, made);
    made.send.synSent();
    made.sendSyn();
    return made;
  }

  Flow flow() {
    return flow;
  }

  SendSide send() {
    return send;
  }

  private void guestSyn(Segment syn) {
    next = syn.sequence() + 1;
    edge = next;
    scaled = syn.scale() >= 0;
    send.options(syn, largestMss());
  }

  private int largestMss() {
    return flow.isV4() ? 1460 : 1440;
  }

  int largestSegment(int mss) {
    return tcp.wire().largestSegment(flow.isV4(), mss);
  }

  /** Connects the host's socket; the outcome comes to {@link #ready}. */
  void connect(SocketAddress address) {
    try {
      host.setOption(StandardSocketOptions.TCP_NODELAY, true);
      key = tcp.poller().add(host, 0, this);
      if (host.connect(address)) {
        connected();
      } else {
        tcp.poller().want(key, SelectionKey.OP_CONNECT);
      }
    } catch (IOException e) {
      refused(e);
    }
  }

  private void connected() {
    state = State.SYN_RECEIVED;
    quote = new byte[0];
    send.synSent();
    sendSyn();
  }

  /** The guest learns at once that it does not get there. */
  private void refused(IOException cause) {
    boolean closedPort =
        cause instanceof ConnectException && !String.valueOf(cause.getMessage()).contains("timed");
    if (closedPort) {
      sendControl(Segment.RST | Segment.ACK, 0);
    } else {
      tcp.icmp().unreachable(flow.guest(), flow.peer(), quote, Icmp.Reason.NO_ROUTE);
    }
    close(false);
  }

  @Override
  public void ready(int operations) {
    if (state == State.CLOSED) {
      return;
    }
    if ((operations & SelectionKey.OP_CONNECT) != 0) {
      try {
        if (host.finishConnect()) {
          connected();
        } else {
          tcp.poller().want(key, SelectionKey.OP_CONNECT);
        }
      } catch (IOException e) {
        refused(e);
      }
      return;
    }
    if ((operations & SelectionKey.OP_WRITE) != 0) {
      writable();
    }
    if ((operations & SelectionKey.OP_READ) != 0 && state == State.ESTABLISHED) {
      readArmed = false;
      pump();
    }
  }

  private void writable() {
    try {
      toHost.write(host);
    } catch (IOException e) {
      reset();
      return;
    }
    if (toHost.size() > 0) {
      tcp.poller().want(key, SelectionKey.OP_WRITE);
    }
    openWindow();
    endIfDone();
  }

  /** RFC 1122, 4.2.3.3: the window is opened in large steps only. */
  private void openWindow() {
    int most = scaled ? Tcp.RECEIVE_BUFFER : 65_535;
    if (window() - (edge - next) >= most / 4) {
      sendControl(Segment.ACK, send.max());
    }
  }

  /** Reads from the host's socket what the guest can soon take, and sends it. */
  void pump() {
    if (state != State.ESTABLISHED) {
      return;
    }
    int budget = READ_AT_ONCE;
    while (!send.ended() && !readArmed && budget > 0) {
      int wanted = Math.min(send.wanted(), budget);
      if (wanted <= 0) {
        break; // an acknowledgement brings us here again
      }
      int count;
      try {
        count = send.data().read(host, wanted);
      } catch (IOException e) {
        reset();
        return;
      }
      if (count < 0) {
        send.end();
      } else if (count == 0 && tcp.pool().isEmpty()) {
        tcp.starved(this);
        break;
      } else if (count < wanted) {
        armRead();
      }
      budget -= Math.max(count, 0);
      send.output();
    }
    if (budget <= 0 && !send.ended()) {
      armRead(); // others have their turn
    }
    send.output();
  }

  private void armRead() {
    readArmed = true;
    tcp.poller().want(key, SelectionKey.OP_READ);
  }

  /** A segment of the guest's for this connection. */
  void received(Segment segment) {
    switch (state) {
      case CONNECTING -> {
        if (segment.has(Segment.RST)) {
          close(true);
        }
      }
      case SYN_SENT -> answered(segment);
      case SYN_RECEIVED, ESTABLISHED -> synchronised(segment);
      default -> {}
    }
  }

  /** RFC 9293, 3.10.7.3. */
  private void answered(Segment segment) {
    if (!segment.has(Segment.ACK)) {
      return;
    }
    if (segment.acknowledgement() != send.nxt()) {
      if (!segment.has(Segment.RST)) {
        sendControl(Segment.RST, segment.acknowledgement());
      }
    } else if (segment.has(Segment.RST)) {
      close(true);
    } else if (segment.has(Segment.SYN)) {
      guestSyn(segment);
      send.synAcknowledged();
      state = State.ESTABLISHED;
      sendControl(Segment.ACK, send.nxt());
      pump();
    }
  }

  /** RFC 9293, 3.10.7.4, with RFC 5961 for resets and SYNs that may be blind. */
  private void synchronised(Segment segment) {
    int begin = segment.sequence();
    int last = begin + segment.space();
    boolean behind = begin - next < 0;
    if (segment.has(Segment.RST)) {
      if (begin == next) {
        close(true);
      } else if (!behind && begin - edge < 0) {
        acknowledgementDue();
      }
      return;
    }
    if (segment.has(Segment.SYN)) {
      if (state == State.SYN_RECEIVED && begin + 1 == next) {
        sendSyn();
      } else {
        acknowledgementDue();
      }
      return;
    }
    boolean old = segment.space() > 0 && last - next <= 0;
    if (old || begin - next > Math.max(0, edge - next)) {
      acknowledgementDue();
      if (!old || !segment.has(Segment.ACK)) {
        return;
      }
    }
    if (!segment.has(Segment.ACK)) {
      return;
    }
    if (behind && segment.space() == 0) {
      acknowledgementDue(); // the guest asks whether we are there, or for our window
    }
    if (state == State.SYN_RECEIVED) {
      if (segment.acknowledgement() != send.nxt()) {
        sendControl(Segment.RST, segment.acknowledgement());
        return;
      }
      send.synAcknowledged();
      state = State.ESTABLISHED;
    }
    if (!send.acknowledged(segment)) {
      acknowledgementDue();
      return;
    }
    if (!old && segment.space() > 0) {
      text(segment, next - begin);
    }
    if (state == State.ESTABLISHED) {
      pump();
      endIfDone();
    }
  }

  private void acknowledgementDue() {
    if (!acknowledgementDue) {
      acknowledgementDue = true;
      tcp.acknowledge(this);
    }
  }

  /**
   * Payload and FIN of a segment.
   *
   * @param known bytes of it that were received before; negative: others are missing before it
   */
  private void text(Segment segment, int known) {
    acknowledgementDue();
    if (known < 0) {
      // Kept by the guest until it is acknowledged; three of these make it send what is missing.
      sendControl(Segment.ACK, send.max());
      return;
    }
    int length = segment.length() - known;
    if (length > 0) {
      if (guestEnded) {
        return;
      }
      int fits = Math.min(length, edge - next);
      int taken = take(segment.payload(known), Math.max(fits, 0));
      if (state == State.CLOSED) {
        return;
      }
      next += taken;
      openWindow();
      if (taken < length) {
        return;
      }
    }
    if (segment.has(Segment.FIN) && !guestEnded) {
      next++;
      guestEnded = true;
    }
  }

  private int take(ByteBuffer[] parts, int length) {
    int left = length;
    for (ByteBuffer part : parts) {
      part.limit(Math.min(part.limit(), left));
      left -= part.limit();
    }
    int taken = 0;
    try {
      if (toHost.size() == 0) {
        taken = (int) host.write(parts);
      }
    } catch (IOException e) {
      reset();
      return 0;
    }
    if (taken < length) {
      taken += toHost.append(parts, length - taken);
    }
    if (toHost.size() > 0) {
      tcp.poller().want(key, SelectionKey.OP_WRITE);
    }
    return taken;
  }

  private void endIfDone() {
    if (guestEnded && toHost.size() == 0 && !hostShut) {
      hostShut = true;
      try {
        host.shutdownOutput();
      } catch (IOException e) {
        reset();
        return;
      }
    }
    if (hostShut && send.finAcknowledged()) {
      if (acknowledgementDue) {
        sendControl(Segment.ACK, send.max());
      }
      close(false);
    }
  }

  /** The acknowledgement that is due, if it has not gone with something else. */
  void acknowledgeNow() {
    if (acknowledgementDue && state != State.CLOSED) {
      sendControl(Segment.ACK, send.max());
    }
  }

  /** Time has come for what the deadline was for. */
  void expired() {
    switch (state) {
      case SYN_SENT, SYN_RECEIVED -> {
        if (send.again(SYN_TRIES, SYN_STEP_MS)) {
          sendSyn();
        } else {
          reset();
        }
      }
      case ESTABLISHED -> {
        if (!send.expired()) {
          reset();
        }
      }
      default -> {}
    }
  }

  /** The host's side has failed, or the guest does not answer: both learn it. */
  void reset() {
    if (state != State.CONNECTING && state != State.CLOSED) {
      sendControl(Segment.RST | Segment.ACK, send.max());
    }
    close(true);
  }

  /** Ends it; with a reset of the host's peer, or as it is. */
  void close(boolean abort) {
    if (state == State.CLOSED) {
      return;
    }
    state = State.CLOSED;
    try {
      if (abort) {
        host.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
    } catch (IOException e) {
      // It was reset by its peer: there is nobody to tell.
    }
    try {
      host.close();
    } catch (IOException e) {
      // As above; the descriptor is gone in any case.
    }
    tcp.poller().closedOne();
    send.data().drop(send.data().size());
    toHost.drop(toHost.size());
    tcp.ended(this);
  }

  private int window() {
    return Math.min(Tcp.RECEIVE_BUFFER, scaled ? Integer.MAX_VALUE : 65_535) - toHost.size();
  }

  private ByteBuffer header(int flags, int sequence, int length) {
    ByteBuffer header = ByteBuffer.allocate(length);
    header.putShort((short) flow.peerPort()).putShort((short) flow.guestPort());
    header.putInt(sequence).putInt((flags & Segment.ACK) != 0 ? next : 0);
    header.put((byte) ((length / 4) << 4)).put((byte) flags);
    int free = Math.max(window(), 0);
    int field = Math.min(65_535, free);
    if ((flags & Segment.SYN) == 0) {
      int shift = scaled ? Tcp.SCALE : 0;
      // Rounded up, as the right edge of the window must not move to the left.
      field = Math.min(65_535, (free + (1 << shift) - 1) >> shift);
      edge = next + (field << shift);
      acknowledgementDue = false;
    } else {
      edge = next + field;
    }
    return header.putShort((short) field).putInt(0);
  }

  /** Sends a segment without payload. */
  void sendControl(int flags, int sequence) {
    ByteBuffer header = header(flags, sequence, Segment.HEADER);
    tcp.wire().packet(flow.peer(), flow.guest(), Protocol.TCP, header.clear(), 16);
  }

  private void sendSyn() {
    boolean answer = state != State.SYN_SENT;
    ByteBuffer header =
        header(Segment.SYN | (answer ? Segment.ACK : 0), send.una(), Segment.HEADER + 8);
    header.put((byte) 2).put((byte) 4).putShort((short) largestMss());
    header.putInt(scaled ? 0x0103_0300 | Tcp.SCALE : 0x0101_0101);
    tcp.wire().packet(flow.peer(), flow.guest(), Protocol.TCP, header.clear(), 16);
  }

  /** Sends a segment with payload; false: there is no room. */
  boolean sendSegment(int sequence, ByteQueue data, int offset, int length, int mss) {
    boolean last = offset + length == data.size();
    int edgeBefore = edge;
    boolean dueBefore = acknowledgementDue;
    ByteBuffer header =
        header(Segment.ACK | (last ? Segment.PSH : 0), sequence, Segment.HEADER).clear();
    if (tcp.wire().segment(flow, header, data, offset, length, mss)) {
      return true;
    }
    edge = edgeBefore;
    acknowledgementDue = dueBefore;
    return false;
  }

  Map<String, Object> save() {
    Map<String, Long> numbers = new HashMap<>();
    send.save(numbers);
    numbers.put("next", (long) next);
    numbers.put("edge", (long) edge);
    numbers.put("scaled", scaled ? 1L : 0L);
    numbers.put("guestEnded", guestEnded ? 1L : 0L);
    numbers.put("hostShut", hostShut ? 1L : 0L);
    Map<String, Object> saved = new HashMap<>();
    saved.put("channel", host);
    saved.put("flow", flow.toLongs());
    saved.put("state", state.name());
    saved.put("numbers", numbers);
    saved.put("quote", quote);
    saved.put("toGuest", send.data().toArray());
    saved.put("toHost", toHost.toArray());
    return saved;
  }

  @SuppressWarnings("unchecked") // as save made it
  static TcpConnection restore(Tcp tcp, Map<String, Object> saved) throws IOException {
    Map<String, Long> numbers = (Map<String, Long>) saved.get("numbers");
    State state = State.valueOf((String) saved.get("state"));
    TcpConnection made =
        new TcpConnection(
            tcp,
            Flow.of((long[]) saved.get("flow")),
            (SocketChannel) saved.get("channel"),
            0,
            state);
    made.send.restore(numbers);
    made.next = numbers.get("next").intValue();
    made.edge = numbers.get("edge").intValue();
    made.scaled = numbers.get("scaled") != 0;
    made.guestEnded = numbers.get("guestEnded") != 0;
    made.hostShut = numbers.get("hostShut") != 0;
    made.quote = (byte[]) saved.get("quote");
    append(made.send.data(), (byte[]) saved.get("toGuest"));
    append(made.toHost, (byte[]) saved.get("toHost"));
    made.key = tcp.poller().add(made.host, 0, made);
    if (state == State.CONNECTING) {
      tcp.poller().want(made.key, SelectionKey.OP_CONNECT);
    }
    return made;
  }

  private static void append(ByteQueue queue, byte[] bytes) {
    queue.append(new ByteBuffer[] {ByteBuffer.wrap(bytes)}, bytes.length);
  }

  /** The guest's driver is up, perhaps after a change of ours: goes on with all that is open. */
  void resume() {
    if (state == State.ESTABLISHED) {
      if (toHost.size() > 0) {
        tcp.poller().want(key, SelectionKey.OP_WRITE);
      }
      acknowledgementDue();
      pump();
      endIfDone();
    } else if (state == State.SYN_SENT || state == State.SYN_RECEIVED) {
      sendSyn();
    }
  }
}
