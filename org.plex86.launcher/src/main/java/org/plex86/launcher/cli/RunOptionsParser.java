// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Parses the options of {@code plex86 run}. They are declared in code rather than by annotations,
 * because reading annotations by reflection is a good part of the time from the start to a
 * framework.
 */
public final class RunOptionsParser {
  // a year: what a timer can take without overflow, and longer than anybody waits
  private static final double TIMEOUT_MAX_SECONDS = 365.0 * 24 * 3600;

  private RunOptionsParser() {}

  /** The options by name, for the check that the help text names them all. */
  static Set<String> optionNames() {
    return spec().optionsMap().keySet();
  }

  /**
   * Parses and checks.
   *
   * @param args what follows {@code run}
   * @return the options; empty when help was asked for
   */
  public static Optional<RunOptions> parse(List<String> args) throws UsageException {
    ParseResult result;
    try {
      result = commandLine(spec()).parseArgs(args.toArray(new String[0]));
    } catch (CommandLine.UnmatchedArgumentException e) {
      throw new UsageException(unmatched(e));
    } catch (CommandLine.ParameterException e) {
      throw new UsageException(Text.firstLine(e.getMessage()) + "; see plex86 run --help");
    }
    return result.isUsageHelpRequested() ? Optional.empty() : Optional.of(build(result));
  }

  private static String unmatched(CommandLine.UnmatchedArgumentException e) {
    String arg = e.getUnmatched().isEmpty() ? "" : e.getUnmatched().get(0);
    if (!arg.startsWith("-")) {
      return "'" + arg + "' is not an option; a command for the guest goes after --exec, quoted";
    }
    List<String> near = e.getSuggestions();
    return "unknown option '"
        + arg
        + "'"
        + (near.isEmpty() ? "" : "; is it " + String.join(" or ", near) + "?")
        + "; see plex86 run --help";
  }

  private static CommandLine commandLine(CommandSpec spec) {
    return new CommandLine(spec)
        .setExpandAtFiles(false) // a command for the guest may well begin with '@'
        .setPosixClusteredShortOptionsAllowed(false);
  }

  private static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name("plex86 run");
    for (String name :
        List.of(
            "--exec",
            "--timeout",
            "--memory",
            "--isolation",
            "--kernel",
            "--initrd",
            "--append",
            "--console",
            "--bundles",
            "--name")) {
      spec.addOption(OptionSpec.builder(name).type(String.class).arity("1").build());
    }
    for (String name : List.of("--disk", "--net")) {
      spec.addOption(
          OptionSpec.builder(name)
              .type(List.class)
              .auxiliaryTypes(String.class)
              .arity("1")
              .build());
    }
    for (String name : List.of("--quiet", "--verbose")) {
      spec.addOption(OptionSpec.builder(name).type(boolean.class).arity("0").build());
    }
    return spec.addOption(
        OptionSpec.builder("--help", "-h").type(boolean.class).arity("0").usageHelp(true).build());
  }

  private static RunOptions build(ParseResult result) throws UsageException {
    String exec = result.matchedOptionValue("--exec", null);
    boolean quiet = result.hasMatchedOption("--quiet");
    boolean verbose = result.hasMatchedOption("--verbose");
    if (quiet && verbose) {
      throw new UsageException("--quiet and --verbose exclude each other; give one");
    }
    String memory = result.matchedOptionValue("--memory", null);
    return new RunOptions(
        Names.check("--name", result.matchedOptionValue("--name", "vm1")),
        memory == null ? MemorySize.DEFAULT : MemorySize.parse("--memory", memory),
        isolation(result.matchedOptionValue("--isolation", "shared")),
        Optional.ofNullable(exec),
        timeout(result.matchedOptionValue("--timeout", null)),
        file(result, "--kernel"),
        file(result, "--initrd"),
        append(result.matchedOptionValue("--append", "")),
        channels(result, exec, quiet || (exec != null && !verbose)),
        file(result, "--bundles"),
        quiet,
        verbose);
  }

  private static String isolation(String mode) throws UsageException {
    if (!mode.equals("strict") && !mode.equals("shared")) {
      throw new UsageException("--isolation: '" + mode + "' is not known; give strict or shared");
    }
    return mode;
  }

  private static Optional<Duration> timeout(String text) throws UsageException {
    if (text == null) {
      return Optional.empty();
    }
    try {
      double seconds = Double.parseDouble(text);
      if (seconds > 0 && seconds <= TIMEOUT_MAX_SECONDS) {
        return Optional.of(Duration.ofMillis(Math.max(1, Math.round(seconds * 1000))));
      }
    } catch (NumberFormatException e) {
      // said below, with what else is no time
    }
    throw new UsageException(
        "--timeout: '" + text + "' is not a time; give seconds above 0, such as 30");
  }

  private static Optional<String> file(ParseResult result, String option) throws UsageException {
    String name = result.matchedOptionValue(option, null);
    if (name != null && name.isEmpty()) {
      throw new UsageException(option + ": the name is empty; give a path");
    }
    return Optional.ofNullable(name);
  }

  private static String append(String text) throws UsageException {
    if (text.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
      throw new UsageException("--append: has a control character in it; give printable text");
    }
    return text;
  }

  private static List<ChannelSpec> channels(ParseResult result, String exec, boolean quiet)
      throws UsageException {
    List<ChannelSpec> channels = new ArrayList<>();
    channels.add(Channels.console(result.matchedOptionValue("--console", null), exec, quiet));
    int disks = 0;
    for (String text : result.matchedOptionValue("--disk", List.<String>of())) {
      channels.add(Channels.disk(text, disks++));
    }
    int nets = 0;
    for (String text : result.matchedOptionValue("--net", List.<String>of())) {
      channels.add(Channels.net(text, nets++));
    }
    Set<String> names = new HashSet<>();
    for (ChannelSpec channel : channels) {
      if (!names.add(channel.name())) {
        throw new UsageException(
            "--"
                + channel.type()
                + ": two channels have the name '"
                + channel.name()
                + "'; give one of them another name");
      }
    }
    return channels;
  }
}
