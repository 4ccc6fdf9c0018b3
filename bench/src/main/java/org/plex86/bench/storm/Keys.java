// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.plex86.bench.host.ChildProcess;
import org.plex86.bench.subject.Tools;

/** Keys for ssh, each in a file that does not exist yet; what is returned is the public line. */
public final class Keys {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private Keys() {}

  /** For dropbear's client. */
  public static String ofDropbear(Tools tools, Path file) throws IOException, InterruptedException {
    List<String> command =
        List.of(tools.run(), "dropbearkey", "-t", "ed25519", "-f", file.toString());
    try (ChildProcess child =
        ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), LIMIT)) {
      child.await();
      return child.output().stream()
          .map(ChildProcess.Line::text)
          .filter(line -> line.startsWith("ssh-"))
          .findFirst()
          .map(line -> line + "\n")
          .orElseThrow(() -> new IOException("no key for ssh: " + child.lastWords()));
    }
  }

  /** For OpenSSH's client, which the host must have. */
  public static String ofOpenSsh(Path file) throws IOException, InterruptedException {
    List<String> command =
        List.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file.toString());
    try (ChildProcess child =
        ChildProcess.start(command, Path.of("/"), Path.of("/dev/null"), LIMIT)) {
      if (child.await() != 0) {
        throw new IOException("no key for ssh: " + child.lastWords());
      }
    }
    return Files.readString(file.resolveSibling(file.getFileName() + ".pub"));
  }
}
