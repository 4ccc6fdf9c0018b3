// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import java.io.IOException;
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

  /** Bytes of a read that may find nothing. */
  private static final int READ_SMALL = 4 << 10;

  private final Tcp tcp;
  private final Flow flow;
  private final SocketChannel host;
  private final SendSide send;
  private final ReceiveSide receive;
  private SelectionKey key;
  private State state;
  private byte[] quote = new byte[0];
  private boolean hostShut;
  private boolean readArmed;
  private final Promptness prompt = new Promptness();

  private TcpConnection(Tcp tcp, Flow flow, SocketChannel host, int initial, State state) {
    this.tcp = tcp;
    this.flow = flow;
    this.host = host;
    this.state = state;
    send = new SendSide(this, tcp, initial);
    receive = new ReceiveSide(tcp.pool());
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
    made.receive.offerScale();
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
    receive.begin(syn);
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
    if (ConnectFailure.isSilence(cause)) {
      tcp.icmp().unreachable(flow.guest(), flow.peer(), quote, Icmp.Reason.NO_ROUTE);
    } else {
      sendControl(Segment.RST | Segment.ACK, 0);
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
      prompt.answered(System.nanoTime());
      pump();
    }
  }

  /** Reads what the host may have sent meanwhile; false: it is waited for as usual from now on. */
  boolean look(long now) {
    if (state == State.ESTABLISHED) {
      readArmed = false;
      pump();
      if (!prompt.isOver(now)) {
        return true;
      }
    }
    prompt.unwatch();
    acknowledgeNow();
    if (readArmed && state == State.ESTABLISHED) {
      tcp.poller().want(key, SelectionKey.OP_READ);
    }
    return false;
  }

  private void writable() {
    try {
      receive.waiting().write(host);
    } catch (IOException e) {
      reset();
      return;
    }
    if (receive.waiting().size() > 0) {
      tcp.poller().want(key, SelectionKey.OP_WRITE);
    }
    openWindow();
    endIfDone();
  }

  private void openWindow() {
    if (receive.mayOpen()) {
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
      boolean first = budget == READ_AT_ONCE && prompt.isWatched();
      int wanted = Math.min(send.wanted(), first ? READ_SMALL : budget);
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
      if (count > 0 && prompt.isWatched()) {
        prompt.found(System.nanoTime());
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
    if (prompt.isWatched()) {
      return;
    }
    if (prompt.isPromising() && tcp.watch(this)) {
      prompt.watch(System.nanoTime());
    } else {
      tcp.poller().want(key, SelectionKey.OP_READ);
    }
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
    boolean behind = begin - receive.next() < 0;
    if (segment.has(Segment.RST)) {
      if (begin == receive.next()) {
        close(true);
      } else if (!behind && begin - receive.edge() < 0) {
        acknowledgementDue();
      }
      return;
    }
    if (segment.has(Segment.SYN)) {
      if (state == State.SYN_RECEIVED && begin + 1 == receive.next()) {
        sendSyn();
      } else {
        acknowledgementDue();
      }
      return;
    }
    boolean old = segment.space() > 0 && last - receive.next() <= 0;
    if (old || begin - receive.next() > Math.max(0, receive.edge() - receive.next())) {
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
      text(segment, receive.next() - begin);
    }
    if (state == State.ESTABLISHED) {
      pump();
      endIfDone();
    }
  }

  private void acknowledgementDue() {
    if (receive.due()) {
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
    try {
      receive.text(segment, known, host);
      prompt.asked(System.nanoTime());
    } catch (IOException e) {
      reset();
      return;
    }
    openWindow();
    if (receive.waiting().size() > 0) {
      tcp.poller().want(key, SelectionKey.OP_WRITE);
    }
  }

  private void endIfDone() {
    if (receive.ended() && receive.waiting().size() == 0 && !hostShut) {
      hostShut = true;
      try {
        host.shutdownOutput();
      } catch (IOException e) {
        reset();
        return;
      }
    }
    if (hostShut && send.finAcknowledged()) {
      if (receive.isDue()) {
        sendControl(Segment.ACK, send.max());
      }
      close(false);
    }
  }

  /**
   * At the end of a batch: an acknowledgement that may well go with an answer waits for it.
   *
   * @return false: it is to be asked for again
   */
  boolean acknowledgeSoon() {
    if (receive.isDue() && prompt.isWatched() && receive.isSmall()) {
      return false;
    }
    acknowledgeNow();
    return true;
  }

  /** The acknowledgement that is due, if it has not gone with something else. */
  private void acknowledgeNow() {
    if (receive.isDue() && state != State.CLOSED) {
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

  /** The guest is no more: what it had finished still reaches the peer, all else is reset. */
  void guestIsGone() {
    close(!hostShut);
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
    receive.waiting().drop(receive.waiting().size());
    tcp.ended(this);
  }

  /** Sends a segment without payload. */
  void sendControl(int flags, int sequence) {
    ByteBuffer header = receive.header(flow, flags, sequence, Segment.HEADER);
    tcp.wire().packet(flow.peer(), flow.guest(), Protocol.TCP, header.clear(), 16);
  }

  private void sendSyn() {
    boolean answer = state != State.SYN_SENT;
    ByteBuffer header =
        receive.header(
            flow, Segment.SYN | (answer ? Segment.ACK : 0), send.una(), Segment.HEADER + 8);
    header.put((byte) 2).put((byte) 4).putShort((short) largestMss());
    header.putInt(receive.scaled() ? 0x0103_0300 | Tcp.SCALE : 0x0101_0101);
    tcp.wire().packet(flow.peer(), flow.guest(), Protocol.TCP, header.clear(), 16);
  }

  /** Sends a segment with payload; false: there is no room. */
  boolean sendSegment(int sequence, ByteQueue data, int offset, int length, int mss) {
    boolean last = offset + length == data.size();
    int edgeBefore = receive.edge();
    boolean dueBefore = receive.isDue();
    ByteBuffer header =
        receive
            .header(flow, Segment.ACK | (last ? Segment.PSH : 0), sequence, Segment.HEADER)
            .clear();
    if (tcp.wire().segment(flow, header, data, offset, length, mss)) {
      return true;
    }
    receive.unsent(edgeBefore, dueBefore);
    return false;
  }

  Map<String, Object> save() {
    Map<String, Long> numbers = new HashMap<>();
    send.save(numbers);
    receive.save(numbers);
    numbers.put("hostShut", hostShut ? 1L : 0L);
    Map<String, Object> saved = new HashMap<>();
    saved.put("channel", host);
    saved.put("flow", flow.toLongs());
    saved.put("state", state.name());
    saved.put("numbers", numbers);
    saved.put("quote", quote);
    saved.put("toGuest", send.data().toArray());
    saved.put("toHost", receive.waiting().toArray());
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
    made.receive.restore(numbers);
    made.hostShut = numbers.get("hostShut") != 0;
    made.quote = (byte[]) saved.get("quote");
    made.send.data().append((byte[]) saved.get("toGuest"));
    made.receive.waiting().append((byte[]) saved.get("toHost"));
    made.key = tcp.poller().add(made.host, 0, made);
    if (state == State.CONNECTING) {
      tcp.poller().want(made.key, SelectionKey.OP_CONNECT);
    }
    return made;
  }

  /** The guest's driver is up, perhaps after a change of ours: goes on with all that is open. */
  void resume() {
    if (state == State.ESTABLISHED) {
      if (receive.waiting().size() > 0) {
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
