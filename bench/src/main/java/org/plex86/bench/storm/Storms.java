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
import java.util.ArrayList;
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

  private static final long IMAGE_BYTES = 160L << 20;

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
        case "disk" -> disk(plex86, place, seconds, limit);
        case "net" -> net(plex86, place, seconds, limit);
        default ->
            StormRun.of(
                plex86, StormLoad.console(folder.resolve("console"), seconds), place, limit);
      };
    } finally {
      FileTree.delete(folder);
    }
  }

  private StormRun net(Plex86 plex86, Path place, int seconds, Duration limit)
      throws IOException, InterruptedException {
    try (EchoServer echo = new EchoServer()) {
      Path client = project.programs().resolve("tcprr");
      return StormRun.of(plex86, StormLoad.net(tools, client, echo.port(), seconds), place, limit);
    }
  }

  /** A fresh ext4, on a disk, not where temporary files may be in memory. */
  private StormRun disk(Plex86 plex86, Path place, int seconds, Duration limit)
      throws IOException, InterruptedException {
    Path image = Files.createDirectories(project.target().resolve("disk")).resolve("storm.raw");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(0);
      file.setLength(IMAGE_BYTES);
    }
    String made = check("mke2fs", "-q", "-F", "-t", "ext4", image.toString());
    if (!made.isEmpty()) {
      throw new IOException("cannot make a file system for the storm: " + made);
    }
    StormRun run = StormRun.of(plex86, StormLoad.disk(tools, image, seconds), place, limit);
    String found = check("e2fsck", "-fn", image.toString());
    if (!found.isEmpty()) {
      run.found("the file system is damaged: " + found);
    }
    return run;
  }

  /** Runs a program of the tools; empty if its status was 0, else its last words. */
  private String check(String... command) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(tools.run()));
    words.addAll(List.of(command));
    try (ChildProcess child =
        ChildProcess.start(words, Path.of("/"), Path.of("/dev/null"), Duration.ofMinutes(1))) {
      int status = child.await();
      return status == 0
          ? ""
          : "%s: status %d: %s".formatted(command[0], status, child.lastWords());
    }
  }

  /** iperf3's server on the loopback. */
  public static ChildProcess iperfServer(Tools tools, int port, Duration limit) throws IOException {
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
