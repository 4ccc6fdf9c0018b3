// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

/** Text for one line of a terminal. */
public final class Text {
  private Text() {}

  /** The first line, without what a terminal would take as a command. */
  public static String firstLine(String text) {
    if (text == null) {
      return "";
    }
    int end = text.indexOf('\n');
    String line = end < 0 ? text : text.substring(0, end);
    return line.replaceAll("\\p{Cntrl}", "?");
  }
}
