// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.plex86.hal.console.io.ByteRing;

/** Moves bytes between one client and two buffers, and turns further clients away. */
final class SocketLoop extends ClientLoop {
  private static final int CHUNK = 1 << 14;
  private static final byte[] BUSY =
      "[plex86: this console has a client already]\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Selector selector;
  private final ServerSocketChannel server;
  private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
  private volatile SocketChannel client;

  SocketLoop(
      Selector selector, ServerSocketChannel server, ByteRing input, ByteRing output, Events events)
      throws IOException {
    super(input, output, events);
    this.selector = selector;
    this.server = server;
    server.configureBlocking(false);
    server.register(selector, SelectionKey.OP_ACCEPT);
  }

  /** Goes on with a client that another loop had; null: there was none. Before the start. */
  void adopt(SocketChannel connected) throws IOException {
    if (connected != null && connected.isOpen()) {
      take(connected);
      admit();
    }
  }

  private void take(SocketChannel connected) throws IOException {
    connected.configureBlocking(false);
    connected.register(selector, 0);
    client = connected;
  }

  SocketChannel client() {
    return client;
  }

  @Override
  void wake() {
    selector.wakeup();
  }

  /** After the loop's end. */
  void closeClient() {
    SocketChannel last = client;
    if (last != null) {
      client = null;
      dismiss();
      closeQuietly(last);
    }
  }

  @Override
  void await() throws IOException {
    follow();
    selector.select();
    selector.selectedKeys().clear(); // what is ready is found by trying: there are two
  }

  @Override
  void serve() throws IOException {
    accept();
    serveClient();
  }

  private void follow() {
    SocketChannel now = client;
    SelectionKey key = now == null ? null : now.keyFor(selector);
    if (key != null && key.isValid()) {
      key.interestOps(
          (input.free() > 0 ? SelectionKey.OP_READ : 0)
              | (output.size() > 0 ? SelectionKey.OP_WRITE : 0));
    }
  }

  private void accept() throws IOException {
    for (SocketChannel next; (next = server.accept()) != null; ) {
      if (client != null) {
        turnAway(next);
        continue;
      }
      take(next);
      events.connected();
    }
  }

  private static void turnAway(SocketChannel late) {
    try {
      late.configureBlocking(false);
      late.write(ByteBuffer.wrap(BUSY));
    } catch (IOException e) {
      // it has gone by itself
      closeQuietly(late);
    }
    closeQuietly(late);
  }

  private void serveClient() {
    SocketChannel now = client;
    if (now == null) {
      return;
    }
    try {
      receive(now);
      send(now);
    } catch (IOException e) {
      // a client that broke off is one that left
      leave(now);
    }
  }

  private void receive(SocketChannel from) throws IOException {
    for (int room; (room = input.free()) > 0; ) {
      chunk.clear().limit(Math.min(CHUNK, room));
      int count = from.read(chunk);
      if (count < 0) {
        leave(from);
        return;
      }
      if (count == 0) {
        return;
      }
      input.put(chunk.flip());
      events.inputReady();
    }
  }

  private void send(SocketChannel to) throws IOException {
    boolean wrote = false;
    while (client == to && output.size() > 0) {
      int count = to.write(output.front());
      if (count == 0) {
        break;
      }
      output.consume(count);
      wrote = true;
    }
    sent(wrote);
  }

  private void leave(SocketChannel gone) {
    client = null;
    closeQuietly(gone);
    left();
  }

  private static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // nothing is lost that had not been already
      return;
    }
  }
}
