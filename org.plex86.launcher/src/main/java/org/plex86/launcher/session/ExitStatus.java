// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

/** The exit status of {@code plex86}, as documented in its help. */
public final class ExitStatus {
  /** The guest powered off, or the command did what was asked. */
  public static final int OK = 0;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** The virtual machine could not start. */
  public static final int NOT_STARTED = 3;

  /** The guest crashed, or a part of the virtual machine died. */
  public static final int CRASHED = 4;

  /** The time that the user set ran out. */
  public static final int TIMEOUT = 124;

  private ExitStatus() {}
}
