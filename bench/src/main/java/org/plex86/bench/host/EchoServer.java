// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.LongAdder;

/** Sends back what comes, on the host's loopback, a thread a connection. */
public final class EchoServer implements AutoCloseable {
  private final ServerSocket server = new ServerSocket();
  private final LongAdder bytes = new LongAdder();

  public EchoServer() throws IOException {
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    daemon(this::accept, "echo-accept");
  }

  public int port() {
    return server.getLocalPort();
  }

  /** How much has come, and was sent back, on all connections. */
  public long bytes() {
    return bytes.sum();
  }

  private static void daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        daemon(() -> serve(socket), "echo");
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = socket.getInputStream();
      OutputStream out = socket.getOutputStream();
      byte[] piece = new byte[1 << 16];
      for (int n; (n = in.read(piece)) > 0; ) {
        out.write(piece, 0, n);
        bytes.add(n);
      }
    } catch (IOException e) {
      // the client has gone, as it does when its time is over
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
