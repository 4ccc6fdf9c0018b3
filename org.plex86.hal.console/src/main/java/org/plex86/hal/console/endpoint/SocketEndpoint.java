// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.Saved;

/**
 * A console that clients connect to, one at a time, by TCP or by a socket in the file system. While
 * there is no client the guest's output goes to nobody and the guest does not wait; whoever comes
 * is first given the last {@link #RECENT} bytes. A client that reads slowly has the guest wait.
 */
public final class SocketEndpoint extends ClientEndpoint {
  private final String what;
  private final SocketAddress address;
  private ServerSocketChannel server;
  private Selector selector;
  private SocketLoop loop;

  private SocketEndpoint(String what, SocketAddress address) {
    this.what = what;
    this.address = address;
  }

  /**
   * Listens on a TCP port.
   *
   * @param port 0: any that is free
   */
  public static SocketEndpoint tcp(String host, int port) {
    return new SocketEndpoint(
        "tcp:" + host + ":" + port,
        new InetSocketAddress(host.isEmpty() ? "127.0.0.1" : host, port));
  }

  /** Listens on a socket in the file system, which is made, and removed at the end. */
  public static SocketEndpoint unix(Path path) {
    return new SocketEndpoint("unix:" + path, UnixDomainSocketAddress.of(path));
  }

  @Override
  public void open(Listener events, Saved saved) throws HalException {
    setListener(events);
    try {
      selector = Selector.open();
      ServerSocketChannel inherited = saved.take("server", ServerSocketChannel.class);
      server = inherited != null && inherited.isOpen() ? inherited : listen();
      loop = new SocketLoop(selector, server, input, output, events());
      restore(saved);
      loop.adopt(saved.take("client", SocketChannel.class));
    } catch (IOException | RuntimeException e) {
      // a RuntimeException is what the JDK says of a host that has no address
      throw new HalException(
          "the console cannot listen on " + what + ": " + e.getMessage() + "; give another", e);
    }
    start(loop, "plex86-console-socket");
  }

  private ServerSocketChannel listen() throws IOException {
    if (!(address instanceof UnixDomainSocketAddress unix)) {
      return ServerSocketChannel.open().bind(address);
    }
    if (Files.exists(unix.getPath()) && isDead(unix)) {
      Files.delete(unix.getPath());
    }
    ServerSocketChannel made = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
    // whoever can connect is at the guest's console
    Files.setPosixFilePermissions(unix.getPath(), PosixFilePermissions.fromString("rw-------"));
    return made;
  }

  /** Whether nobody listens on a socket any more: its process was killed. */
  private static boolean isDead(UnixDomainSocketAddress unix) throws IOException {
    if (!Files.readAttributes(unix.getPath(), java.nio.file.attribute.BasicFileAttributes.class)
        .isOther()) {
      return false; // a file of another kind is somebody's
    }
    try (SocketChannel trial = SocketChannel.open(unix)) {
      return !trial.isConnected();
    } catch (java.net.ConnectException e) {
      return true;
    }
  }

  /** Where clients connect to. */
  SocketAddress address() throws IOException {
    return server.getLocalAddress();
  }

  @Override
  public void close() {
    stopLoop();
    loop.closeClient();
    try {
      selector.close();
      server.close();
      if (address instanceof UnixDomainSocketAddress unix) {
        Files.deleteIfExists(unix.getPath());
      }
    } catch (IOException e) {
      listener().failed("the console's " + what + " cannot be closed", e);
    }
  }

  /** The client stays connected, and who comes meanwhile waits to be let in. */
  @Override
  public void handOver(Saved into) {
    stopLoop();
    try {
      selector.close(); // the sockets belong to no selector now
    } catch (IOException e) {
      listener().failed("the console's " + what + " cannot be handed over", e);
    }
    into.put("server", server);
    if (loop.hasClient()) {
      into.put("client", loop.client());
    }
    save(into);
  }

  @Override
  void failed(IOException cause) {
    listener().failed("the console's " + what + " takes no clients any more", cause);
  }
}
