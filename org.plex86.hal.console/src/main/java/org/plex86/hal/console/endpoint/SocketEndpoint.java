// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.io.ByteRing;
import org.plex86.hal.console.io.RecentBytes;
import org.plex86.hal.console.io.Saved;

/**
 * A console that clients connect to, one at a time, by TCP or by a socket in the file system. While
 * there is no client the guest's output goes to nobody and the guest does not wait; whoever comes
 * is first given the last {@link #RECENT} bytes. A client that reads slowly has the guest wait.
 */
public final class SocketEndpoint implements Endpoint {
  /** How much of the output a late client is given. */
  public static final int RECENT = 1 << 16;

  private static final int INPUT_BUFFER = 1 << 16;
  private static final int OUTPUT_BUFFER = 1 << 18;
  private static final long JOIN_MILLIS = 1000;

  private final String what;
  private final SocketAddress address;
  private final ByteRing input = new ByteRing(INPUT_BUFFER);
  private final ByteRing output = new ByteRing(OUTPUT_BUFFER);
  private final RecentBytes recent = new RecentBytes(RECENT); // guarded by this
  private Listener listener;
  private ServerSocketChannel server;
  private Selector selector;
  private SocketLoop loop;
  private Thread thread;

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
    listener = events;
    try {
      selector = Selector.open();
      ServerSocketChannel inherited = saved.take("server", ServerSocketChannel.class);
      server = inherited != null && inherited.isOpen() ? inherited : listen();
      loop = new SocketLoop(selector, server, input, output, new Clients());
      input.put(ByteBuffer.wrap(saved.takeBytes("input")));
      output.put(ByteBuffer.wrap(saved.takeBytes("output")));
      synchronized (this) {
        recent.append(ByteBuffer.wrap(saved.takeBytes("recent")));
      }
      loop.adopt(saved.take("client", SocketChannel.class));
    } catch (IOException | RuntimeException e) {
      // a RuntimeException is what the JDK says of a host that has no address
      throw new HalException(
          "the console cannot listen on " + what + ": " + e.getMessage() + "; give another", e);
    }
    thread = new Thread(loop, "plex86-console-socket");
    thread.setDaemon(true);
    thread.start();
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
  public int write(ByteBuffer bytes) {
    int start = bytes.position();
    synchronized (this) {
      if (loop.hasClient()) {
        output.put(bytes);
        loop.starved(bytes.hasRemaining());
      } else {
        bytes.position(bytes.limit());
      }
      recent.append(bytes.slice(start, bytes.position() - start));
    }
    selector.wakeup();
    return bytes.position() - start;
  }

  @Override
  public int read(ByteBuffer into) {
    int count = input.take(into);
    if (count > 0) {
      selector.wakeup();
    }
    return count;
  }

  @Override
  public int available() {
    return input.size();
  }

  @Override
  public synchronized void flush(long stallNanos, long totalNanos) throws InterruptedException {
    long end = System.nanoTime() + Math.min(stallNanos, totalNanos);
    for (long left;
        loop.hasClient() && output.size() > 0 && (left = end - System.nanoTime()) > 0; ) {
      wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
    }
  }

  private void stop() {
    loop.stop();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    stop();
    loop.closeClient();
    try {
      selector.close();
      server.close();
      if (address instanceof UnixDomainSocketAddress unix) {
        Files.deleteIfExists(unix.getPath());
      }
    } catch (IOException e) {
      listener.failed("the console's " + what + " cannot be closed", e);
    }
  }

  /** The client stays connected, and who comes meanwhile waits to be let in. */
  @Override
  public void handOver(Saved into) {
    stop();
    try {
      selector.close(); // the sockets belong to no selector now
    } catch (IOException e) {
      listener.failed("the console's " + what + " cannot be handed over", e);
    }
    into.put("server", server);
    if (loop.hasClient()) {
      into.put("client", loop.client());
    }
    into.put("input", drain(input));
    into.put("output", drain(output));
    synchronized (this) {
      into.put("recent", recent.bytes());
    }
  }

  private static byte[] drain(ByteRing ring) {
    ByteBuffer all = ByteBuffer.allocate(ring.size());
    ring.take(all);
    return all.array();
  }

  /** What the loop has to say, on its thread. */
  private final class Clients implements SocketLoop.Events {
    @Override
    public void connected() {
      synchronized (SocketEndpoint.this) {
        output.clear();
        output.put(ByteBuffer.wrap(recent.bytes()));
        loop.admit();
      }
    }

    @Override
    public void inputReady() {
      listener.inputReady();
    }

    @Override
    public void wrote() {
      synchronized (SocketEndpoint.this) {
        SocketEndpoint.this.notifyAll();
      }
    }

    @Override
    public void outputReady() {
      listener.outputReady();
    }

    @Override
    public void failed(IOException cause) {
      listener.failed("the console's " + what + " takes no clients any more", cause);
    }
  }
}
