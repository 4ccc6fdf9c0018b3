// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.subject.Tools;

/**
 * Somebody on the host who types into a shell of the guest by ssh, through a forwarded port, line
 * after line, and reads each answer before the next: one session from the first swap to the last.
 */
final class SshSession {
  /** What answers in the guest. */
  private static final String ANSWERS =
      "echo ready; while read -r line; do"
          + " [ \"$line\" = bye ] && exit 7; echo \"got $line\"; done";

  private static final int STATUS = 7;
  private static final long ANSWER_SECONDS = 30;
  private static final int TYPING_MILLIS = 20;
  private static final int LINE_MAX = 200;

  private final Tools tools;
  private final Path key;
  private final int port;
  private final Duration limit;
  private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private final Random random = new Random(86);
  private Thread thread;
  private volatile boolean ending;
  private final AtomicInteger lines = new AtomicInteger();
  private volatile String problem = "it was not begun";

  /**
   * Not begun yet.
   *
   * @param key of dropbear's kind
   * @param port of the host's loopback that leads to the guest's server
   */
  SshSession(Tools tools, Path key, int port, Duration limit) {
    this.tools = tools;
    this.key = key;
    this.port = port;
    this.limit = limit;
  }

  void begin() {
    thread = new Thread(this::talk, "ssh-session");
    thread.setDaemon(true);
    thread.start();
  }

  private void talk() {
    List<String> command =
        List.of(
            tools.run(),
            "dbclient",
            "-y",
            "-y",
            "-T",
            "-i",
            key.toString(),
            "-p",
            Integer.toString(port),
            "root@127.0.0.1",
            ANSWERS);
    try (ChildProcess client =
        ChildProcess.startWithOpenInput(
            command,
            Path.of("/"),
            Path.of("/dev/null"),
            limit,
            line -> answers.add(line.text().strip()))) {
      problem = typeAll(client);
    } catch (IOException e) {
      problem = "it ended: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What went wrong; null: nothing. */
  private String typeAll(ChildProcess client) throws IOException, InterruptedException {
    String answer = answer();
    if (!"ready".equals(answer)) {
      return "no shell: %s; %s".formatted(answer, client.lastWords());
    }
    while (!ending) {
      String line = "%d %s.".formatted(lines.get() + 1, "x".repeat(random.nextInt(LINE_MAX)));
      client.write(line + "\n");
      answer = answer();
      if (!("got " + line).equals(answer)) {
        return "%s came back as: %s; %s".formatted(line, answer, client.lastWords());
      }
      lines.incrementAndGet();
      Thread.sleep(random.nextInt(TYPING_MILLIS));
    }
    client.write("bye\n");
    int status = client.await();
    return status == STATUS ? null : "it ended with status " + status;
  }

  private String answer() throws InterruptedException {
    return answers.poll(ANSWER_SECONDS, TimeUnit.SECONDS);
  }

  /** Ends the session and waits for that. */
  void end() throws InterruptedException {
    ending = true;
    if (thread != null) {
      thread.join(TimeUnit.SECONDS.toMillis(2 * ANSWER_SECONDS));
    }
  }

  /** What went wrong; null: nothing. Once it has ended. */
  String problem() {
    return problem;
  }

  /** How many lines were typed, and came back right. */
  int lines() {
    return lines.get();
  }
}
