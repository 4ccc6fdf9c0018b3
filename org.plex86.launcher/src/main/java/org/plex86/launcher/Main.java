// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.plex86.launcher.cli.DiskOptionsParser;
import org.plex86.launcher.cli.RunOptionsParser;
import org.plex86.launcher.cli.UsageException;
import org.plex86.launcher.session.ExitStatus;

/**
 * The entry point of the runnable jar. The {@code plex86} script calls it for {@code run}; its
 * other commands work on the source tree and are the script's own.
 */
public final class Main {
  private Main() {}

  /** Runs the command and ends the process with its exit status. */
  public static void main(String[] args) {
    System.exit(run(Arrays.asList(args)));
  }

  private static int run(List<String> args) {
    String command = args.isEmpty() ? "" : args.get(0);
    List<String> rest = args.isEmpty() ? args : args.subList(1, args.size());
    try {
      return switch (command) {
        case "run" -> runVm(rest);
        case "disk" -> disk(rest);
        case "--help", "-h" -> help("jar");
        case "--version" -> {
          System.out.println("plex86 " + version());
          yield ExitStatus.OK;
        }
        case "" -> throw new UsageException("no command; give run, disk, --help or --version");
        default ->
            throw new UsageException(
                "unknown command '" + command + "'; give run, disk, --help or --version");
      };
    } catch (UsageException e) {
      return fail(ExitStatus.USAGE, e.getMessage());
    } catch (IOException e) {
      return fail(ExitStatus.NOT_STARTED, e.getMessage());
    }
  }

  private static int runVm(List<String> args) throws UsageException, IOException {
    var options = RunOptionsParser.parse(args);
    return options.isEmpty() ? help("run") : new RunCommand(options.get()).call();
  }

  private static int disk(List<String> args) throws UsageException, IOException {
    var words = DiskOptionsParser.parse(args);
    return words.isEmpty() ? help("disk") : new DiskCommand(words.get()).call();
  }

  private static int help(String topic) throws IOException {
    try (InputStream in = Main.class.getResourceAsStream("help/" + topic + ".txt")) {
      if (in == null) {
        throw new IOException("the runnable jar has no help on " + topic + "; build it again");
      }
      System.out.print(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    return ExitStatus.OK;
  }

  private static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }

  static int fail(int status, String message) {
    System.err.println("plex86: " + message);
    return status;
  }
}
