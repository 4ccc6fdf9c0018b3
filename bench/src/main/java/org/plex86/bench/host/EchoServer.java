// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Sends back what comes, on the host's loopback, a thread a connection. */
public final class EchoServer implements AutoCloseable {
  private final ServerSocket server = new ServerSocket();

  public EchoServer() throws IOException {
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    daemon(this::accept, "echo-accept");
  }

  public int port() {
    return server.getLocalPort();
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

  private static void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = socket.getInputStream();
      OutputStream out = socket.getOutputStream();
      byte[] bytes = new byte[1 << 16];
      for (int n; (n = in.read(bytes)) > 0; ) {
        out.write(bytes, 0, n);
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
