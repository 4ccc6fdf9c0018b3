// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * The other side of the agent in {@code storm/agent}: replaces drivers of one VM. Not for several
 * threads. The agent's classes are only ever loaded there, where OSGi is.
 */
public final class Storm implements AutoCloseable {
  /** How a driver is replaced. */
  public enum Way {
    UPDATE,
    BESIDE,
    CRASH;

    /** The way of the n-th swap of a storm: every tenth by crash, the others half and half. */
    public static Way of(int n) {
      return n % 10 == 9 ? CRASH : n % 2 == 0 ? UPDATE : BESIDE;
    }

    String command() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The agent could not do it; the message is one line. */
  public static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
      super(message);
    }
  }

  private static final String AGENT = "org.plex86.bench.storm.agent.";

  private static final List<String> CLASSES =
      List.of(
          "StormAgent", "Swapper", "CrashingDriver", "CrashingDriver$CrashingChannel", "Reports");

  private final Path bundles;
  private final ServerSocketChannel server;
  private SocketChannel channel;
  private BufferedReader in;
  private PrintStream out;

  private Storm(Path bundles, ServerSocketChannel server) {
    this.bundles = bundles;
    this.server = server;
  }

  /**
   * Makes a folder for {@code plex86 run --bundles}.
   *
   * @param folder does not exist yet, and has a short path
   */
  public static Storm in(Path folder) throws IOException {
    Path bundles = Files.createDirectories(folder.resolve("bundles"));
    Path socket = folder.resolve("socket");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    writeAgent(bundles.resolve("storm.jar"), socket);
    return new Storm(bundles, server);
  }

  private static void writeAgent(Path jar, Path socket) throws IOException {
    Manifest manifest = new Manifest();
    Attributes headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.putValue("Bundle-ManifestVersion", "2");
    headers.putValue("Bundle-SymbolicName", "org.plex86.bench.storm");
    headers.putValue("Bundle-Activator", AGENT + "StormAgent");
    headers.putValue("Import-Package", "org.osgi.framework,org.plex86.hal.api");
    headers.putValue("Storm-Socket", socket.toString());
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file, manifest)) {
      for (String name : CLASSES) {
        String entry = AGENT.replace('.', '/') + name + ".class";
        out.putNextEntry(new JarEntry(entry));
        try (InputStream in = Storm.class.getClassLoader().getResourceAsStream(entry)) {
          in.transferTo(out);
        }
      }
    }
  }

  /** What {@code --bundles} is to be given. */
  public Path bundles() {
    return bundles;
  }

  /**
   * Waits for the agent of the VM that was started.
   *
   * @throws IOException it does not come
   */
  public void connect(Duration limit) throws IOException {
    try (Selector selector = Selector.open()) {
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
      if (selector.select(limit.toMillis()) == 0) {
        throw new IOException("the bundle that replaces drivers does not start in the VM");
      }
      channel = server.accept();
    }
    in = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
    out = new PrintStream(Channels.newOutputStream(channel), true, StandardCharsets.UTF_8);
  }

  /**
   * Replaces the driver of a type of channels.
   *
   * @return how long the command took in nanoseconds, which is more than the guest was without
   */
  public long swap(String type, Way way) throws IOException {
    long begin = System.nanoTime();
    ask(way.command() + " " + type);
    return System.nanoTime() - begin;
  }

  /** The lines of {@code hal:history} for a channel. */
  public List<String> history(String channel) throws IOException {
    return ask("history " + channel);
  }

  /** The lines of {@code hal:list}. */
  public List<String> list() throws IOException {
    return ask("list");
  }

  private List<String> ask(String command) throws IOException {
    out.println(command);
    List<String> lines = new ArrayList<>();
    for (String line; (line = in.readLine()) != null; ) {
      if (line.equals("ok")) {
        return lines;
      }
      if (line.startsWith("error ")) {
        throw new RefusedException(command + ": " + line.substring("error ".length()));
      }
      lines.add(line.substring(1));
    }
    throw new IOException(command + ": the VM has ended");
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
    server.close();
  }
}
