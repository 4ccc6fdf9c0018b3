// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

/**
 * How the command line's side asks the bundle's side for a virtual machine: by a service {@code
 * BiConsumer<Integer, String>} that takes the exit status and a line for the user (empty for none),
 * registered with the properties named here. Both sides have classes of their own loaders, so only
 * JDK types cross; the constants are compiled into each.
 */
public final class RunRequest {
  /** Property that tells what the service is, with the value {@link #RUN}. */
  public static final String KIND = "plex86.request";

  /** Value of {@link #KIND}. */
  public static final String RUN = "run";

  /** {@code Map<String, Object>}: the configuration of the virtual machine. */
  public static final String CONFIGURATION = "configuration";

  /** {@code List<String>}: the types of the channels in the configuration. */
  public static final String TYPES = "types";

  /** Long: milliseconds to wait for a driver of each of the types. */
  public static final String PATIENCE = "patience";

  /** Boolean: the guest runs one command, whose status is the result. */
  public static final String EXEC = "exec";

  /** Boolean: say how the boot went. */
  public static final String VERBOSE = "verbose";

  private RunRequest() {}
}
