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

  /** A storm until its goal is reached. */
  public StormRun run(Plex86 plex86, String type, StormGoal goal)
      throws IOException, InterruptedException {
    Path folder =
        Path.of(
            System.getProperty("java.io.tmpdir"),
            "plex86-storm-" + ProcessHandle.current().pid() + "-" + count++);
    Files.createDirectory(folder);
    try {
      return switch (type) {
        case "disk" -> disk(plex86, folder, goal);
        case "net" -> net(plex86, folder, goal);
        default ->
            run(plex86, StormLoad.console(folder.resolve("console"), goal.most()), folder, goal);
      };
    } finally {
      FileTree.delete(folder);
    }
  }

  private static StormRun run(Plex86 plex86, StormLoad load, Path folder, StormGoal goal)
      throws IOException, InterruptedException {
    return StormRun.of(plex86, load, goal, folder.resolve("s"), limit(goal));
  }

  private static Duration limit(StormGoal goal) {
    return GRACE.plusSeconds(goal.most());
  }

  private StormRun net(Plex86 plex86, Path folder, StormGoal goal)
      throws IOException, InterruptedException {
    Path key = folder.resolve("key");
    Files.writeString(folder.resolve("key.pub"), Keys.ofDropbear(tools, key));
    int ssh = freePort();
    try (EchoServer echo = new EchoServer()) {
      NetHost host = new NetHost(echo, new SshSession(tools, key, ssh, limit(goal)));
      List<Path> files = List.of(project.programs().resolve("tcprr"), folder.resolve("key.pub"));
      return run(
          plex86, StormLoad.net(tools, files, ssh, echo.port(), goal.most(), host), folder, goal);
    }
  }

  /**
   * A fresh ext4 in a raw image, and one in a raw image below a qcow2 one; on a disk, not where
   * temporary files may be in memory.
   */
  private StormRun disk(Plex86 plex86, Path folder, StormGoal goal)
      throws IOException, InterruptedException {
    Path images = Files.createDirectories(project.target().resolve("disk"));
    Path raw = images.resolve("storm.raw");
    Path base = images.resolve("storm-base.raw");
    Path qcow2 = images.resolve("storm.qcow2");
    Path converted = images.resolve("storm-converted.raw");
    for (Path old : List.of(raw, base, qcow2, converted)) {
      Files.deleteIfExists(old);
    }
    makeFileSystem(raw);
    makeFileSystem(base);
    must("make an image", disk("create", qcow2.toString(), "--backing", base.toString()));
    StormRun run = run(plex86, StormLoad.disk(tools, raw, qcow2, goal.most()), folder, goal);
    List<List<String>> checks =
        List.of(
            tool("e2fsck", "-fn", raw.toString()),
            disk("check", qcow2.toString()),
            disk("convert", qcow2.toString(), converted.toString()),
            tool("e2fsck", "-fn", converted.toString()));
    for (List<String> command : checks) {
      String found = check(command);
      if (!found.isEmpty()) {
        run.found("the disk is damaged: " + found);
      }
    }
    return run;
  }

  private void makeFileSystem(Path image) throws IOException, InterruptedException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(IMAGE_BYTES);
    }
    must("make a file system", tool("mke2fs", "-q", "-F", "-t", "ext4", image.toString()));
  }

  private List<String> tool(String... command) {
    List<String> words = new ArrayList<>(List.of(tools.run()));
    words.addAll(List.of(command));
    return words;
  }

  private List<String> disk(String... arguments) {
    List<String> words = new ArrayList<>(List.of(project.command().toString(), "disk"));
    words.addAll(List.of(arguments));
    return words;
  }

  private static void must(String what, List<String> command)
      throws IOException, InterruptedException {
    String found = check(command);
    if (!found.isEmpty()) {
      throw new IOException("cannot " + what + " for the storm: " + found);
    }
  }

  /** Runs a program; empty if its status was 0, else its last words. */
  private static String check(List<String> command) throws IOException, InterruptedException {
    try (ChildProcess child =
        ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), Duration.ofMinutes(2))) {
      int status = child.await();
      return status == 0
          ? ""
          : "%s: status %d: %s".formatted(String.join(" ", command), status, child.lastWords());
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
