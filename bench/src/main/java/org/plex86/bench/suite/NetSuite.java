// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.host.EchoServer;
import org.plex86.bench.result.Results;
import org.plex86.bench.storm.Storms;
import org.plex86.bench.subject.Plex86;
import org.plex86.bench.subject.QemuTcg;
import org.plex86.bench.subject.Subject;
import org.plex86.bench.subject.Tools;
import org.plex86.bench.subject.Workload;

/**
 * TCP between a guest and a server on the host's loopback, by user-mode networking and the gateway
 * address: throughput each way by iperf3, and round trips of one byte (programs/tcprr.c). {@code
 * native}: the same programs over the loopback itself.
 */
public final class NetSuite implements Suite {
  public static final String NAME = "net";

  private static final String OUT = "net_tcp_out";
  private static final String IN = "net_tcp_in";
  private static final String ROUND_TRIPS = "net_tcp_rr";

  /** The measurements that an issue's promise is about. */
  static final List<String> PROMISED = List.of(OUT, IN, ROUND_TRIPS);

  private static final int SECONDS = 4;
  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** The same addresses in both: QEMU's are plex86's (docs of --net user). */
  private static final String CONFIGURE =
      """
      for i in eth0; do
        ip link set lo up; ip link set $i up
        ip addr add 10.0.2.15/24 dev $i 2>/dev/null; ip route add default via 10.0.2.2 2>/dev/null
      done
      HOST=10.0.2.2
      """;

  private static final Pattern THROUGHPUT = Pattern.compile(".* ([0-9.]+) Mbits/sec +receiver");
  private static final Pattern VALUE = Pattern.compile("@ tcp_rr ([0-9.]+) /s");

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void measure(Context context) throws IOException, InterruptedException {
    Tools tools;
    try {
      tools = Tools.of(context.project());
    } catch (IOException e) {
      context.results().note("net is left out: " + e.getMessage());
      return;
    }
    Path client = context.project().programs().resolve("tcprr");
    int port = Storms.freePort();
    try (EchoServer echo = new EchoServer();
        ChildProcess server = Storms.iperfServer(tools, port, Duration.ofHours(2))) {
      List<Target> targets = targets(context, tools);
      for (int repetition = 0; repetition < context.repetitions(); repetition++) {
        for (Target target : targets) {
          System.err.printf(
              "bench: net %d/%d %s%n", repetition + 1, context.repetitions(), target.name());
          Workload workload =
              new Workload(target.preamble() + script(port, echo.port()), List.of(client));
          measure(context.results(), target, workload);
          if (!server.isAlive()) {
            context.results().note("net: iperf3 on the host has ended: " + server.lastWords());
            return;
          }
        }
      }
    }
  }

  private static List<Target> targets(Context context, Tools tools) {
    List<Target> targets = new ArrayList<>();
    for (Subject subject : context.subjects()) {
      if (subject.name().equals("native")) {
        targets.add(new Target("native", subject, tools.onHost() + "HOST=127.0.0.1\n"));
      } else if (subject instanceof Plex86 plex86) {
        Subject vm =
            plex86.with("--disk", "file=" + tools.image() + ",readonly=on", "--net", "user");
        targets.add(new Target(plex86.name(), vm, Tools.MOUNT + CONFIGURE));
      } else if (subject instanceof QemuTcg qemu) {
        Subject vm =
            qemu.with(
                "",
                List.of(
                    "-drive",
                    QemuTcg.toolsDrive(tools),
                    "-device",
                    "virtio-blk-device,drive=d0",
                    "-netdev",
                    "user,id=n0",
                    "-device",
                    "virtio-net-device,netdev=n0"));
        targets.add(new Target(qemu.name(), vm, Tools.MOUNT + CONFIGURE));
      }
    }
    return targets;
  }

  private static String script(int iperf, int echo) {
    String client =
        "timeout %d $TOOLS/run iperf3 --client $HOST --port %d --time %d --omit 1 --format m"
            .formatted(SECONDS * 3 + 10, iperf, SECONDS);
    return """
    echo "begin %s"; %s </dev/null 2>&1
    echo "begin %s"; %s --reverse </dev/null 2>&1
    echo "begin %s"; ./busybox timeout 30 ./tcprr $HOST %d %d </dev/null 2>&1
    exit 0
    """
        .formatted(OUT, client, IN, client, ROUND_TRIPS, echo, SECONDS);
  }

  private static void measure(Results results, Target target, Workload workload)
      throws IOException, InterruptedException {
    try (ChildProcess instance = target.subject().start(workload, LIMIT)) {
      int status = target.subject().await(instance);
      if (status != 0) {
        results.note(
            "%s: net: ended with status %d: %s"
                .formatted(target.name(), status, instance.lastWords()));
      }
      String current = "";
      for (ChildProcess.Line line : instance.output()) {
        String text = line.text().strip();
        Matcher throughput = THROUGHPUT.matcher(text);
        Matcher value = VALUE.matcher(text);
        if (text.startsWith("begin ")) {
          current = text.substring("begin ".length());
        } else if (throughput.matches() && !current.isEmpty()) {
          double megabytes = Double.parseDouble(throughput.group(1)) / 8;
          results.add(current, Results.Unit.MEGABYTES_PER_SECOND, target.name(), megabytes);
        } else if (value.matches()) {
          double rate = Double.parseDouble(value.group(1));
          results.add(ROUND_TRIPS, Results.Unit.PER_SECOND, target.name(), rate);
        } else if (text.contains("error") || text.contains("failed")) {
          results.note("%s: %s: %s".formatted(target.name(), current, text));
        }
      }
    }
  }
}
