// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.io.PrintStream;
import java.util.HashSet;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Tells the user what is wrong with a bundle of the folder that is followed: a line each, once.
 * Apache Felix File Install logs by java.util.logging where it is told to.
 */
final class FolderLog extends Handler {
  /** What File Install calls its logger. */
  private static final String LOGGER = "fileinstall";

  /** Lines that are remembered, so that they are not told again. */
  private static final int TOLD_MAX = 1000;

  /** Kept: the JDK forgets loggers, and with them their handlers, that nobody refers to. */
  private final Logger logger = Logger.getLogger(LOGGER);

  private final PrintStream out;
  private final Set<String> told = new HashSet<>();

  FolderLog(PrintStream out) {
    this.out = out;
    setLevel(Level.WARNING);
    logger.setUseParentHandlers(false);
    logger.addHandler(this);
  }

  @Override
  public synchronized void publish(LogRecord record) {
    if (!isLoggable(record)) {
      return;
    }
    String line = "plex86: --bundles: " + oneLine(record.getMessage() + reason(record.getThrown()));
    if (told.size() < TOLD_MAX && told.add(line)) {
      out.println(line);
    }
  }

  /** The innermost reason: what is around it says that a bundle could not be installed. */
  private static String reason(Throwable thrown) {
    Throwable cause = thrown;
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause == null ? "" : ": " + (cause.getMessage() == null ? cause : cause.getMessage());
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
  }

  @Override
  public void flush() {
    out.flush();
  }

  @Override
  public void close() {
    logger.removeHandler(this);
  }
}
