// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.EchoServer;
import org.plex86.bench.host.Project;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Tools;

/** One storm on each type of channel, with what it needs of the host. */
public final class Storms {
  /** The types of channels. */
  public static final List<String> TYPES = List.of("disk", "net", "console");

  private static final long IMAGE_BYTES = 128L << 20;

  /** Booting, the last round of the load, and what a slow host takes. */
  private static final Duration GRACE = Duration.ofMinutes(3);

  private final Project project;
  private final Tools tools;
  private int count;

  public Storms(Project project, Tools tools) {
    this.project = project;
    this.tools = tools;
  }

  /** A storm for as many seconds as the load is to last. */
  public StormRun run(Plex86 plex86, String type, int seconds)
      throws IOException, InterruptedException {
    Path folder =
        Path.of(
            System.getProperty("java.io.tmpdir"),
            "plex86-storm-" + ProcessHandle.current().pid() + "-" + count++);
    Duration limit = GRACE.plusSeconds(seconds);
    Files.createDirectory(folder);
    try {
      Path place = folder.resolve("s");
      return switch (type) {
        case "disk" -> StormRun.of(plex86, disk(seconds), place, limit);
        case "net" -> net(plex86, place, seconds, limit);
        default ->
            StormRun.of(
                plex86, StormLoad.console(folder.resolve("console"), seconds), place, limit);
      };
    } finally {
      FileTree.delete(folder);
    }
  }

  /** On a disk, not where temporary files may be in memory. */
  private StormLoad disk(int seconds) throws IOException {
    Path image = Files.createDirectories(project.target().resolve("disk")).resolve("storm.raw");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(0);
      file.setLength(IMAGE_BYTES);
    }
    return StormLoad.disk(tools, image, seconds);
  }

  private StormRun net(Plex86 plex86, Path place, int seconds, Duration limit)
      throws IOException, InterruptedException {
    int port = freePort();
    try (EchoServer echo = new EchoServer();
        ChildProcess server = iperfServer(tools, port, limit)) {
      Path client = project.programs().resolve("tcprr");
      StormLoad load = StormLoad.net(tools, client, port, echo.port(), seconds);
      StormRun run = StormRun.of(plex86, load, place, limit);
      server.kill();
      return run;
    }
  }

  /** iperf3's server on the loopback. */
  public static ChildProcess iperfServer(Tools tools, int port, Duration limit)
      throws IOException {
    List<String> command =
        List.of(tools.run(), "iperf3", "--server", "--bind", "127.0.0.1", "--port", "" + port);
    return ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), limit);
  }

  /** A port of the loopback that nobody has at the moment. */
  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return socket.getLocalPort();
    }
  }
}
