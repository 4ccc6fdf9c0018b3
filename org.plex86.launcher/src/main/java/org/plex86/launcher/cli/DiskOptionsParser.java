// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * Parses the options of {@code plex86 disk}, into the words that the tool of the disk bundle takes:
 * see org.plex86.hal.disk.tool.DiskTool.
 */
public final class DiskOptionsParser {
  private static final String KNOWN = "create, info, resize, convert or check";

  /**
   * A command.
   *
   * @param positions the words for what comes without an option, in order
   * @param required how many of these must be there
   * @param options those that are understood
   */
  private record Form(List<String> positions, int required, List<String> options) {}

  private static final Map<String, Form> FORMS =
      Map.of(
          "create",
              new Form(List.of("file", "size"), 1, List.of("format", "backing", "backing-format")),
          "info", new Form(List.of("file"), 1, List.of("format", "json")),
          "resize", new Form(List.of("file", "size"), 2, List.of("format")),
          "convert", new Form(List.of("file", "to"), 2, List.of("format", "to-format")),
          "check", new Form(List.of("file"), 1, List.of("format")));

  private DiskOptionsParser() {}

  /**
   * Parses and checks.
   *
   * @param args what follows {@code disk}
   * @return the words; empty when help was asked for
   */
  public static Optional<Map<String, String>> parse(List<String> args) throws UsageException {
    String command = args.isEmpty() ? "" : args.get(0);
    if (command.equals("--help") || command.equals("-h")) {
      return Optional.empty();
    }
    Form form = FORMS.get(command);
    if (form == null) {
      throw new UsageException(
          (command.isEmpty() ? "disk: no command" : "disk: unknown command '" + command + "'")
              + "; give "
              + KNOWN);
    }
    ParseResult result;
    try {
      result =
          new CommandLine(spec(form))
              .setExpandAtFiles(false)
              .setPosixClusteredShortOptionsAllowed(false)
              .parseArgs(args.subList(1, args.size()).toArray(new String[0]));
    } catch (CommandLine.ParameterException e) {
      throw new UsageException(
          "disk " + command + ": " + Text.firstLine(e.getMessage()) + "; see plex86 disk --help");
    }
    return result.isUsageHelpRequested()
        ? Optional.empty()
        : Optional.of(words(command, form, result));
  }

  private static CommandSpec spec(Form form) {
    CommandSpec spec = CommandSpec.create().name("plex86 disk");
    spec.addPositional(
        PositionalParamSpec.builder()
            .type(List.class)
            .auxiliaryTypes(String.class)
            .arity("0.." + form.positions.size())
            .index("0.." + (form.positions.size() - 1))
            .build());
    for (String name : form.options) {
      boolean flag = name.equals("json");
      spec.addOption(
          OptionSpec.builder("--" + name)
              .type(flag ? boolean.class : String.class)
              .arity(flag ? "0" : "1")
              .build());
    }
    return spec.addOption(
        OptionSpec.builder("--help", "-h").type(boolean.class).arity("0").usageHelp(true).build());
  }

  private static Map<String, String> words(String command, Form form, ParseResult result)
      throws UsageException {
    Map<String, String> words = new HashMap<>();
    words.put("command", command);
    List<String> given = result.matchedPositionalValue(0, List.<String>of());
    if (given.size() < form.required) {
      throw new UsageException(
          "disk "
              + command
              + ": "
              + form.positions.get(given.size()).toUpperCase(java.util.Locale.ROOT)
              + " is missing; see plex86 disk --help");
    }
    for (int i = 0; i < given.size(); i++) {
      words.put(form.positions.get(i), given.get(i));
    }
    for (String name : form.options) {
      if (result.hasMatchedOption("--" + name)) {
        words.put(name, name.equals("json") ? "on" : result.matchedOptionValue("--" + name, ""));
      }
    }
    for (String name : List.of("format", "to-format", "backing-format")) {
      String format = words.getOrDefault(name, "raw");
      if (!format.equals("raw") && !format.equals("qcow2")) {
        throw new UsageException(
            "disk %s: --%s: '%s' is not known; give raw or qcow2".formatted(command, name, format));
      }
    }
    if (words.get("file").isEmpty()) {
      throw new UsageException("disk " + command + ": the name of the file is empty; give a path");
    }
    return words;
  }
}
