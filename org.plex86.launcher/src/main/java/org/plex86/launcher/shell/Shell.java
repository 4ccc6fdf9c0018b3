// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.shell;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Job;
import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.History;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.history.DefaultHistory;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.ExternalTerminal;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.TerminalLoan;

/** A Gogo session with line editing on a lent terminal. What was typed is remembered between. */
final class Shell {
  private static final String PROMPT = "plex86> ";
  private static final Set<String> LEAVE = Set.of("exit", "quit", "logout");

  private final History history = new DefaultHistory();

  /** Serves the user until they leave, or the terminal is taken back. */
  void run(CommandProcessor processor, ConsoleTerminal console) {
    try (TerminalLoan loan = console.borrow();
        Terminal terminal = terminal(loan);
        CommandSession session =
            processor.createSession(terminal.input(), terminal.output(), terminal.output())) {
      welcome(terminal.writer(), console.vmName());
      serve(session, terminal);
    } catch (IOException e) {
      // The terminal went back in the middle of an output: there is nobody left to tell.
      console.say("the shell ended: " + e.getMessage());
    }
  }

  /**
   * The line discipline (echo, erase, Ctrl-C) is JLine's own emulation: the real terminal stays raw
   * for the console, and what is typed passes the console's keys first.
   */
  private static Terminal terminal(TerminalLoan loan) throws IOException {
    String type = System.getenv().getOrDefault("TERM", "xterm");
    ExternalTerminal terminal =
        new ExternalTerminal(
            "plex86-shell", type, loan.input(), loan.output(), StandardCharsets.UTF_8);
    resize(terminal, loan);
    loan.onResize(
        () -> {
          resize(terminal, loan);
          terminal.raise(Signal.WINCH);
        });
    return terminal;
  }

  private static void resize(Terminal terminal, TerminalLoan loan) {
    if (loan.columns() > 0 && loan.rows() > 0) {
      terminal.setSize(new Size(loan.columns(), loan.rows()));
    }
  }

  private static void welcome(PrintWriter writer, String vmName) {
    writer.println();
    writer.println(
        "[plex86: Gogo shell beside "
            + vmName
            + "; help lists the commands; exit, Ctrl-D or Ctrl-A c goes back]");
    writer.flush();
  }

  private void serve(CommandSession session, Terminal terminal) {
    LineReader reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("plex86")
            .history(history)
            .completer((line, parsed, found) -> complete(session, parsed.wordIndex(), found))
            .build();
    for (String line; (line = read(reader)) != null; ) {
      if (!line.isEmpty()) {
        execute(session, line, terminal);
      }
    }
  }

  /** The next line: empty after Ctrl-C at the prompt, null when the user leaves. */
  private static String read(LineReader reader) {
    try {
      String line = reader.readLine(PROMPT).strip();
      return LEAVE.contains(line) ? null : line;
    } catch (UserInterruptException e) {
      return "";
    } catch (EndOfFileException e) {
      return null;
    }
  }

  private static void execute(CommandSession session, String line, Terminal terminal) {
    PrintWriter writer = terminal.writer();
    Terminal.SignalHandler before = terminal.handle(Signal.INT, signal -> interrupt(session));
    try {
      Object value = session.execute(line);
      if (value != null) {
        writer.println(session.format(value, Converter.INSPECT));
      }
    } catch (InterruptedException e) {
      writer.println("interrupted");
    } catch (Exception e) {
      // A command is any bundle's code and may throw anything: the shell shows it and goes on.
      writer.println(e.getMessage() == null ? e.toString() : e.getMessage());
    } finally {
      terminal.handle(Signal.INT, before);
    }
    writer.flush();
  }

  private static void interrupt(CommandSession session) {
    Job job = session.foregroundJob();
    if (job != null) {
      job.interrupt();
    }
  }

  /** Completes the names of commands, with and without their scope. */
  private static void complete(CommandSession session, int word, Collection<Candidate> found) {
    if (word == 0 && session.get(".commands") instanceof Collection<?> commands) {
      for (Object command : commands) {
        String name = command.toString();
        found.add(new Candidate(name));
        found.add(new Candidate(name.substring(name.indexOf(':') + 1)));
      }
    }
  }
}
