// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.EchoServer;
import org.plex86.bench.host.Project;
import org.plex86.bench.storm.Keys;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.Tools;
import org.plex86.bench.subject.Workload;

/**
 * Programs of the host reach a guest by forwarded ports, and the guest a server on the host's
 * loopback by the gateway's address. The programs are the host's own where it has them, else those
 * of the tools.
 */
final class ForwardCheck {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final Duration BOOT = Duration.ofSeconds(60);
  private static final int STATUS = 5;
  private static final String READY = "servers-up";

  private final Project project;
  private final Plex86 plex86;
  private final Findings findings;

  ForwardCheck(Project project, Plex86 plex86, Findings findings) {
    this.project = project;
    this.plex86 = plex86;
    this.findings = findings;
  }

  void run() throws InterruptedException {
    try {
      Path folder = Files.createTempDirectory("plex86-forward-");
      try {
        run(Tools.of(project), folder);
      } finally {
        for (String name : List.of("key", "key.pub", "page")) {
          Files.deleteIfExists(folder.resolve(name));
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      findings.bad("forward cannot run: " + e.getMessage());
    }
  }

  private void run(Tools tools, Path folder) throws IOException, InterruptedException {
    boolean openSsh = isInstalled("ssh") && isInstalled("ssh-keygen");
    Path key = folder.resolve("key");
    Files.writeString(
        folder.resolve("key.pub"), openSsh ? Keys.ofOpenSsh(key) : Keys.ofDropbear(tools, key));
    int http = Storms.freePort();
    int ssh = Storms.freePort();
    int iperf = Storms.freePort();
    Plex86 vm =
        plex86.with(
            "--disk",
            "file=" + tools.image() + ",readonly=on",
            "--net",
            "user,forward=tcp:127.0.0.1:%d:80,forward=tcp:127.0.0.1:%d:22,forward=tcp:127.0.0.1:%d:5201"
                .formatted(http, ssh, iperf));
    try (EchoServer echo = new EchoServer();
        ChildProcess guest =
            vm.startWithOpenInput(
                new Workload(script(echo.port()), List.of(folder.resolve("key.pub"))), LIMIT)) {
      if (guest.awaitLine(READY, BOOT) == null) {
        findings.bad("forward: the servers in the guest do not come up: " + guest.lastWords());
        return;
      }
      page(tools, folder.resolve("page"), http, guest);
      shell(tools, key, openSsh, ssh);
      throughput(tools, iperf);
      guest.endInput();
      int status = guest.await();
      findings.check(
          status == 0 && guest.output().stream().anyMatch(line -> line.text().equals("gateway ok")),
          "forward: the guest reaches a server on the host's loopback by the gateway's address");
    }
  }

  /** Servers, and a client of the host's server that sends back what it gets. */
  private static String script(int echo) {
    return Tools.MOUNT
        + """
        $TOOLS/setup; PATH=$TOOLS/bin:$PATH
        mkdir -p /root/.ssh; cp key.pub /root/.ssh/authorized_keys; chmod -R go= /root; chmod go-w /
        dropbear -R -E -p 22 2>/dev/null
        iperf3 -s -D
        mkdir -p /www; head -c 3000000 /dev/urandom >/www/page; httpd -h /www -p 80
        echo "page $(md5sum </www/page)"
        head -c 3000000 /dev/urandom >sent
        nc 10.0.2.2 %d <sent >got; cmp sent got && echo "gateway ok"
        echo %s
        cat >/dev/null
        """
            .formatted(echo, READY);
  }

  private void page(Tools tools, Path file, int port, ChildProcess guest)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(program(tools, "curl"));
    command.addAll(
        List.of(
            "-sS",
            "--max-time",
            "60",
            "-o",
            file.toString(),
            "http://127.0.0.1:%d/page".formatted(port)));
    String found = run(command, 0);
    if (found.isEmpty()) {
      String sum = "page " + sum(file);
      found =
          guest.output().stream().anyMatch(line -> line.text().startsWith(sum))
              ? ""
              : "what came is not what was sent";
    }
    tell("curl", found);
  }

  private static String sum(Path file) throws IOException, InterruptedException {
    try (ChildProcess child =
        ChildProcess.start(List.of("md5sum"), Path.of("/"), file, Duration.ofMinutes(1))) {
      child.await();
      return child.output().get(0).text().substring(0, 32);
    }
  }

  private void shell(Tools tools, Path key, boolean openSsh, int port)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    if (openSsh) {
      command.addAll(
          List.of(
              "ssh",
              "-F",
              "/dev/null",
              "-o",
              "BatchMode=yes",
              "-o",
              "StrictHostKeyChecking=no",
              "-o",
              "UserKnownHostsFile=/dev/null"));
    } else {
      command.addAll(List.of(tools.run(), "dbclient", "-y", "-y"));
    }
    command.addAll(
        List.of("-i", key.toString(), "-p", "" + port, "root@127.0.0.1", "exit " + STATUS));
    tell(openSsh ? "ssh" : "dbclient", run(command, STATUS));
  }

  private void throughput(Tools tools, int port) throws IOException, InterruptedException {
    for (String way : List.of("", "--reverse")) {
      List<String> command = new ArrayList<>(program(tools, "iperf3"));
      command.addAll(List.of("--client", "127.0.0.1", "--port", "" + port, "--time", "3"));
      if (!way.isEmpty()) {
        command.add(way);
      }
      tell(("iperf3 " + way).strip(), run(command, 0));
    }
  }

  private void tell(String what, String found) {
    findings.check(
        found.isEmpty(),
        "forward: %s of the host reaches the guest%s"
            .formatted(what, found.isEmpty() ? "" : ": " + found));
  }

  /** Empty if the status is the one that is wanted. */
  private static String run(List<String> command, int wanted)
      throws IOException, InterruptedException {
    try (ChildProcess child =
        ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), Duration.ofMinutes(1))) {
      int status = child.await();
      return status == wanted ? "" : "status %d: %s".formatted(status, child.lastWords());
    }
  }

  private static List<String> program(Tools tools, String name) {
    return isInstalled(name) ? List.of(name) : List.of(tools.run(), name);
  }

  private static boolean isInstalled(String name) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, name))) {
        return true;
      }
    }
    return false;
  }
}
